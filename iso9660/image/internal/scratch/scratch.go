// Package scratch makes temporary files that nobody has to clear away.
package scratch

import (
	"errors"
	"os"
)

// File makes a temporary file in dir, "" for the usual place, and takes its name
// away: it vanishes when it is closed or the process ends.
func File(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "burnfs-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
