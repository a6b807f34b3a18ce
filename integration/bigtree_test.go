package integration

import (
	"slices"
	"testing"

	"burnfs/integration/harness"
)

// manyFiles is the medium of TestFiveSessionsOfManyFiles.
const manyFiles = "bd-r"

// TestFiveSessionsOfManyFiles does what TestFiveSessions does with all of the Go source,
// ten thousand files. It takes longest of all, so it is in the file whose tests are the
// first to begin.
func TestFiveSessionsOfManyFiles(t *testing.T) {
	t.Parallel()
	fiveSessions(t, manyFiles, ".", true, slices.Index(harness.Media, manyFiles)%2 == 0)
}
