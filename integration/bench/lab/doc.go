// Package lab runs programs and counts what they cost.
//
//	Lab                 a directory on the file system that is measured, and the inputs,
//	 │                  which are made once and used by everybody
//	 ├─ Run             a command from its beginning to its end
//	 └─ Serve           a daemon that serves a mount, in the foreground
//	     └─ Measure     what a command cost with the daemon behind it
//
// Cost is a [Usage]: the time that passed, the processor time of everybody involved, and
// the most memory that the program under test had. The latter is VmHWM of proc(5), looked
// at every few milliseconds: ru_maxrss of getrusage(2) begins with the memory of whoever
// started the process, which here is much more than that of a small program.
package lab
