package commit

import (
	"os"
	"path/filepath"
)

// scratch is a file that is of use while a plan is made.
type scratch struct{ *os.File }

func newScratch(where string) (scratch, error) {
	f, err := os.OpenFile(filepath.Join(where, indexName), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	return scratch{f}, err
}

// remove removes the file. What is left of it if that fails goes with the plan.
func (s scratch) remove() {
	_ = s.Close()
	_ = os.Remove(s.Name())
}
