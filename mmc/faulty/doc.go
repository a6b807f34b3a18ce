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
package faulty
