// Package faulty makes a drive fail on demand: a [Transport] wraps another one
// and lets an [Injector] decide for each command whether something goes wrong.
//
// A [Fault] is what happens instead of the plain execution of a command. It may
// keep the command from the drive, execute it and lose the answer, execute a
// part of it, or change the reply; so all the ways in which real drives, cables
// and bridges fail can be told apart:
//
//	                       drive does it   host is told
//	CheckCondition         no              sense data
//	After(CheckCondition)  yes             sense data
//	Lost                   no              transport error
//	After(Lost)            yes             transport error
//	Hang                   no              transport error, after the timeout
//	After(Hang)            yes             transport error, after the timeout
//	Pretend                no              success
//	Short                  in part         success, with a residue
//	Garble                 yes             success, with another reply
//
// The usual test runs an operation again and again, the i-th command failing in
// the i-th run, until a run gets through without meeting its fault:
//
//	for i := 0; ; i++ {
//		t := faulty.Wrap(drive, faulty.When(faulty.CheckCondition(3, 0x0c, 0), faulty.Nth(i)))
//		err := operation(t)
//		if t.Injected() == 0 {
//			break // all commands had their turn
//		}
//		// err surfaced, or the result is right nevertheless
//	}
//
// # Plans
//
// [ParsePlan] reads the same from a text, for `burnfs mount --fault` and for
// tests. A line is a rule, or says what makes the drive slow; # begins a comment:
//
//	WRITE(10) 3: sense 3/0C/00              the third WRITE(10) fails
//	READ(10) at 5000-5999: hang 30s         READs that touch these blocks take 30 s longer
//	CLOSE TRACK SESSION 1: lie              says done, does nothing
//	any 17: lose-power for 5s               what was not durable is gone
//	WRITE(10) from 100: short 8192          each moves 4 blocks only
//	READ(10) chance 0.1%: lost-answer
//	slow speed 5540 seek 120ms close 20s
//
// A rule is
//
//	COMMAND [at BLOCK[-BLOCK]] [N | from N | every N | chance P%] : WHAT
//
// COMMAND is the name MMC gives the command, or as much of it as is clear, in upper
// or lower case, a blank for a slash; or its operation code, like 2Ah; or any. A
// rule counts, from 1, the commands that its words before the number choose, all
// of them each for itself; if several rules choose a command, the first one in
// the plan counts. WHAT is one of
//
//	sense K/AA/QQ [done]     sense data: key, code, qualifier. done: the drive
//	                         has done the command all the same. A drive that says
//	                         6/28 or 6/29 was reset
//	deferred K/AA/QQ [done]  the same, blaming an earlier command
//	hang [DURATION]          takes so much longer; without a duration, or if that
//	                         is more than the command's timeout, it is given up
//	                         then and was not done
//	short BYTES              moves at most so many bytes; READ and WRITE whole blocks
//	lie                      reports success and does nothing; a reply is zeros
//	answer HEX [from N]      done, but these bytes are in the reply from byte N on
//	never-arrives            transport error, not done
//	lost-answer              transport error, done
//	vanish for DURATION      the cable is out for so long: this and all commands in
//	vanish for good          this time get a transport error; then 6/29/00 once
//	lose-power [for …]       the same, and all is gone that the emulated drive has
//	                         not made durable; without for, power is back at once
//
// and what makes the drive slow are pairs of
//
//	speed KBPS, buffer BYTES, seek, load, opc, close, format, blank DURATION
//
// with the meaning that [emu.Timing] gives them. The line
//
//	seed NUMBER
//
// makes chance repeatable; without it one is chosen, and [Plan.String] tells it.
package faulty
