/* The layers that weights.c streams: how they are cut and how their images lie in the
 * scratchpad (schedules.md T4, section 5).  -DLAYER names one. */
#ifndef TEST_BENCH_STREAMS_LAYERS_H
#define TEST_BENCH_STREAMS_LAYERS_H

/* When the moves of an image are issued: group after group in the first chunk; the next
 * tile's where the last chunk has left a group; or all through the tile before. */
enum loads { ONCE, REPLACING, AHEAD };
/* Where groups of 64 channels lie: in banks 0 and 1 by turns, both halves of a bank's
 * neighbours by tile, or in three banks. */
enum places { TURNS, TILES, THREE };

struct layer {
    int tiles, chunks, groups, taps;
    int outs;                        /* blocks of 16 channels of a chunk */
    int inner;                       /* tiles of one chunk follow each other */
    enum loads loads;
    enum places places;
    int side, step;                  /* of the image, in pixels; from pixel to pixel of a line */
    int chans, columns;              /* in, out */
    int lines, width, copies;        /* of a group: lines of pixels, of each shifted copy */
    int even, pad, down;             /* even lines first: so many; image lines per line */
    int line_pitch, block_pitch;     /* local rows */
    int tile_lines, tile_rows;       /* from tile to tile: image lines, local rows */
    int a_stride, bias, resident;
};

#define SEG_49 { 11, 0 }, { 11, 11 }, { 11, 22 }, { 16, 33 }
#define SEG_98 { 12, 0 }, { 14, 12 }, { 14, 26 }, { 14, 40 }, { 14, 54 }, { 14, 68 }, { 16, 82 }
#define SEG_112 { 16, 0 }, { 16, 16 }, { 16, 32 }, { 16, 48 }, { 16, 64 }, { 16, 80 }, { 16, 96 }
#define SEG_7(p) { 14, 0 }, { 14, p }, { 14, 2 * (p) }, { 14, 3 * (p) }, { 14, 4 * (p) }, \
    { 14, 5 * (p) }, { 14, 6 * (p) }
#define SEG_14(p) SEG_7(p), { 14, 7 * (p) }, { 14, 8 * (p) }, { 14, 9 * (p) }, \
    { 14, 10 * (p) }, { 14, 11 * (p) }, { 14, 12 * (p) }, { 14, 13 * (p) }
#define SEG_28(p, s) { 12, 0 }, { 16, 12 * (s) }, { 12, p }, { 16, (p) + 12 * (s) }, \
    { 12, 2 * (p) }, { 16, 2 * (p) + 12 * (s) }, { 12, 3 * (p) }, { 16, 3 * (p) + 12 * (s) }

/* Pixels that follow each other, K channels to N. */
#define POINTS(px) .taps = 1, .side = px, .step = 1, .lines = 1, .width = px, .copies = 1, \
    .down = 1, .line_pitch = px, .block_pitch = px, .a_stride = 1
/* Every second pixel of every second line. */
#define EVERY_SECOND(from, to) .taps = 1, .side = from, .step = 2, .lines = to, .width = to, \
    .copies = 1, .down = 2, .line_pitch = to, .block_pitch = (to) * (to), .a_stride = 1
#define K_TO_N(k, n) .groups = (k) / 64, .chunks = (n) / 64, .outs = 4, .chans = k, .columns = n
/* 3 x 3: a padded image, part of one, and copies of one for each column of the kernel. */
#define PADDED(image, n, w, d) .taps = 9, .side = image, .step = 1, .lines = n, .width = w, \
    .copies = 1, .pad = 1, .down = 1, .line_pitch = w, .block_pitch = (n) * (w), .a_stride = d

#define LAYER_1x1_7(k, n) { K_TO_N(k, n), POINTS(49), .tiles = 1 }
#define LAYER_1x1_98(k, n) { K_TO_N(k, n), POINTS(98), .tiles = 1 }
#define LAYER_1x1_14(k, n) \
    { K_TO_N(k, n), POINTS(196), .tiles = 2, .inner = 1, .tile_rows = 98 }
#define LAYER_1x1_S2_14(k, n) \
    { K_TO_N(k, n), EVERY_SECOND(14, 7), .tiles = 1, .bias = 1 }
#define LAYER_1x1_S2_28(k, n) \
    { K_TO_N(k, n), EVERY_SECOND(28, 14), .tiles = 2, .inner = 1, .tile_rows = 98, .bias = 1 }
#define LAYER_1x1_S2_56(k, n) \
    { K_TO_N(k, n), .taps = 1, .side = 56, .step = 2, .lines = 4, .width = 28, .copies = 1, \
        .down = 2, .line_pitch = 28, .block_pitch = 112, .a_stride = 1, .tiles = 7, \
        .tile_lines = 8, .loads = AHEAD, .places = TILES, .bias = 1, .resident = 1 }
#define LAYER_3x3_7(k, n) \
    { K_TO_N(k, n), .taps = 9, .side = 7, .step = 1, .lines = 27, .width = 7, .copies = 3, \
        .pad = 1, .down = 1, .line_pitch = 7, .block_pitch = 189, .a_stride = 1, .tiles = 1 }
#define LAYER_3x3_14(k, n) \
    { .groups = (k) / 64, .chunks = (n) / 32, .outs = 2, .chans = k, .columns = n, \
        PADDED(14, 16, 16, 1), .tiles = 1 }
#define LAYER_3x3_14_HALVES(k, n) \
    { K_TO_N(k, n), PADDED(14, 16, 16, 1), .tiles = 2, .tile_rows = 112 }
#define LAYER_3x3_S2_28(k, n) \
    { K_TO_N(k, n), PADDED(28, 15, 29, 2), .tiles = 2, .tile_lines = 14, .loads = REPLACING, \
        .bias = 1 }
#define LAYER_3x3_S2_14(k, n) \
    { K_TO_N(k, n), .taps = 9, .side = 14, .step = 2, .lines = 45, .width = 7, .copies = 3, \
        .even = 8, .pad = 1, .down = 1, .line_pitch = 7, .block_pitch = 315, .a_stride = 1, \
        .tiles = 1, .places = THREE, .bias = 1 }
#define LAYER_3x3_S2_56(k, n) \
    { K_TO_N(k, n), .taps = 9, .side = 56, .step = 1, .lines = 9, .width = 57, .copies = 1, \
        .pad = 1, .down = 1, .line_pitch = 456, .block_pitch = 57, .a_stride = 2, .tiles = 7, \
        .tile_lines = 8, .loads = AHEAD, .places = TILES, .bias = 1 }

#endif
