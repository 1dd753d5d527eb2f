#!/bin/sh
# Every file of every corpus through its fuzz target: no crash, no sanitizer report.
set -u
: "${top_srcdir:?}" "${top_builddir:?}"
n=0
set -- "$top_srcdir"/test/fuzz/corpus/*
echo "1..$#"
for dir
do
    n=$((n + 1))
    name=${dir##*/}
    out=$("$top_builddir/test/fuzz/${name}_fuzz" -verbosity=0 \
            "$dir"/* 2>&1)
    status=$?
    if [ $status -eq 0 ]; then
        echo "ok $n - $name"
    else
        echo "not ok $n - $name: exit $status"
        echo "$out" | sed 's/^/# /'
    fi
done
