package shelf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Env names the directory.
const Env = "BURNFS_SHELF"

// stateSuffix is that of the file that package mmc/emu has beside a disc file.
const stateSuffix = ".medium"

// Dir returns the directory, "" if there is none.
func Dir() string { return os.Getenv(Env) }

// Put puts a disc on the shelf in its present state. It must not change any more
// unless it is put there again: a test calls this when it ends. A disc of a test that
// failed, or that was never made, is not put there.
func Put(t testing.TB, disc string) {
	t.Helper()
	put(t, disc, caller(), place)
}

// PutCopy does the same with a disc that will change.
func PutCopy(t testing.TB, disc string) {
	t.Helper()
	put(t, disc, caller(), clone)
}

func put(t testing.TB, disc, pkg string, how func(from, to string) error) {
	t.Helper()
	if Dir() == "" || t.Failed() {
		return
	}
	if _, err := os.Stat(disc); errors.Is(err, fs.ErrNotExist) {
		return
	}
	dir := filepath.Join(Dir(), pkg, plain(t.Name()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, filepath.Base(disc))
	for _, suffix := range []string{"", stateSuffix} {
		err := os.Remove(to + suffix)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			err = how(disc+suffix, to+suffix)
		}
		if err != nil && !(suffix != "" && errors.Is(err, fs.ErrNotExist)) {
			t.Fatal(err)
		}
	}
}

// caller is the package that called Put or PutCopy, as one element of a path.
func caller() string {
	pc, _, _, _ := runtime.Caller(2) // this program is not stripped of names
	name := runtime.FuncForPC(pc).Name()
	slash := strings.LastIndexByte(name, '/') + 1
	pkg, _, _ := strings.Cut(name[slash:], ".")
	return strings.ReplaceAll(name[:slash], "/", ".") + pkg
}

// plain makes one element of a path of a test's name.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == ' ' {
			return '-'
		}
		return r
	}, name)
}

// place links a file to another place, or copies it when that is on another file
// system.
func place(from, to string) (err error) {
	if err := os.Link(from, to); err == nil || !errors.Is(err, unix.EXDEV) {
		return err
	}
	return clone(from, to)
}

// clone copies a file with its holes.
func clone(from, to string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	st, err := src.Stat()
	if err != nil {
		return err
	}
	if err := dst.Truncate(st.Size()); err != nil {
		return err
	}
	for at := int64(0); ; {
		start, err := unix.Seek(int(src.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("data of %s behind %d: %w", from, at, err)
		}
		end, err := unix.Seek(int(src.Fd()), start, unix.SEEK_HOLE)
		if err != nil {
			return fmt.Errorf("a hole of %s behind %d: %w", from, start, err)
		}
		if _, err := io.Copy(io.NewOffsetWriter(dst, start), io.NewSectionReader(src, start, end-start)); err != nil {
			return err
		}
		at = end
	}
}
