/* What must not survive the program: temporaries of open outputs and temporary
 * folders.  Called by those who make the first one; more calls do nothing. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

/* From now on INT, TERM, HUP and PIPE remove temporaries before they kill us (a
 * signal that is ignored stays so), and so does a normal exit. */
void cleanup_arm(void);
/* Around the making of a temporary, or of a process, and its entry into the list: no
 * signal between.  A child calls cleanup_child: what is here is not its own. */
void cleanup_begin(void);
void cleanup_end(void);
void cleanup_child(void);
void temp_remove_all(void);          /* file.c; async-signal-safe */

#endif
