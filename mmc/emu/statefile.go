package emu

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// stateSuffix is appended to the name of the data file.
const stateSuffix = ".medium"

// IsPlain reports whether the data file at path has no state file beside it: then
// it plays no particular disc, such as an ISO image.
func IsPlain(path string) bool {
	_, err := os.Lstat(path + stateSuffix)
	return errors.Is(err, fs.ErrNotExist)
}

// newStateSuffix names the file that is to replace the state file. It is only
// written by who holds the lock on the data file, so one fixed name is enough,
// and what a crash leaves behind is overwritten by the next replacement.
const newStateSuffix = ".medium.new"

// readStateFile loads the state beside the data file at path. The error is
// os.ErrNotExist if there is none.
func readStateFile(path string) (*state, error) {
	f, err := os.Open(path + stateSuffix)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxStateSize+1))
	if err != nil {
		return nil, err
	}
	s, err := parseState(b)
	if err != nil {
		return nil, &FormatError{Path: path + stateSuffix, Err: err}
	}
	return s, nil
}

// replaceStateFile puts b in the place of the state file beside path, so that at
// any moment, power cuts included, the old or the new content is there and never
// a mixture: write beside, fsync, rename, fsync the directory.
func replaceStateFile(path string, b []byte) error {
	tmp := path + newStateSuffix
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return fmt.Errorf("the state of the emulated disc could not be saved: %w", err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(tmp, path+stateSuffix)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("the state of the emulated disc could not be saved: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
