// Package rows has the comparisons: for each thing that a user waits for, how burnfs does
// it, and how the programs do it that a user would take instead.
//
// All contestants have the same source, work on the same file system, and sync alike: none
// is told to, but what one has left to the kernel is written before the next one begins.
// Daemons run in the foreground with what they do by default.
package rows

import "burnfs/integration/bench/contest"

// All are all scenarios, in the order of the report.
func All() []contest.Scenario {
	return append([]contest.Scenario{
		smallFiles(), largeFile(), randomWrites(),
		firstFind(), coldTar(), coldRead(),
		smallImage(), largeImage(), secondSession(), nothingToDo(),
		millionFiles(), burnStaged(), burnImage(),
	}, changes()...)
}
