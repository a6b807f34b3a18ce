// Command bench measures what a user waits for, with the real burnfs and a real mount, and
// beside it the programs that a user would take instead. `make bench` runs it; it needs
// root, and some 20 GB of room for the whole.
//
//	make bench SCALE=0.01                        a try, in a minute
//	make bench ROWS='copy-in|remove'             some rows; bench -list names them all
//	make bench ARGS='-dir /mnt/x -rounds 5'      on another file system, and more often
//
// Without make: build burnfs, install what `integration/deps.sh bench` names, and
//
//	go run ./integration/bench -burnfs bin/burnfs -scale 0.1 -rows first-find
//
// What comes of it is a table of medians, ratios, targets and memory in bin/bench.txt, and
// all samples in bin/BENCH.json. Machines are noisy: only ratios of one run count, since
// all contestants do their work in turn. In /dev/shm xorriso does not take part: libburn
// writes to no regular file below /dev.
//
//	contest   who takes part, rows and their targets, the turns, the verdicts
//	rows      the comparisons themselves
//	growth    how cost grows with files, sessions, sizes and depth
//	lab       running programs, and what they cost; inputs; the page cache
//	madeup    discs of millions of files that exist nowhere else
//	stats     medians, ratios, slopes
//	report    text and JSON
package main
