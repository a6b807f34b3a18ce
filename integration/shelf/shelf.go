package shelf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Env names the directory. AllEnv, if set to anything, makes place for all discs.
const (
	Env    = "BURNFS_SHELF"
	AllEnv = "BURNFS_SHELF_ALL"
)

// What may lie beside a disc file.
const (
	StateSuffix  = ".medium" // what package mmc/emu notes of it
	TestSuffix   = ".test"   // the name of the test that it is of
	AgreedSuffix = ".agreed" // what the judges agreed on, see package agree
)

// most is how many bytes a disc may take. All of them are read a dozen times.
const most = 256 << 20

// Dir returns the directory, "" if there is none.
func Dir() string { return os.Getenv(Env) }

// Put puts a disc on the shelf in its present state. It must not change any more
// unless it is put there again: a test calls this when it ends. A disc of a test that
// failed, or that was never made, is not put there, nor is one of many bytes.
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
	var st unix.Stat_t
	if err := unix.Stat(disc, &st); errors.Is(err, fs.ErrNotExist) {
		return
	} else if err != nil {
		t.Fatal(err)
	}
	if os.Getenv(AllEnv) == "" && st.Blocks*512 > most {
		return
	}
	if err := replace(filepath.Join(Dir(), pkg, group(t.Name())), t.Name(), disc, how); err != nil {
		t.Fatal(err)
	}
}

// replace puts a disc into a directory, if there is none under its name of a test whose
// name comes later.
func replace(dir, test, disc string, how func(from, to string) error) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	lock, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	to := filepath.Join(dir, filepath.Base(disc))
	// Nothing is there the first time.
	if there, _ := os.ReadFile(to + TestSuffix); string(there) > test {
		return nil
	}
	for _, suffix := range []string{"", StateSuffix} {
		err := os.Remove(to + suffix)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			err = how(disc+suffix, to+suffix)
		}
		if err != nil && !(suffix != "" && errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	return os.WriteFile(to+TestSuffix, []byte(test), 0o644)
}

var medium = regexp.MustCompile(`dvd-rw-overwrite|dvd[-+]r-dl|(?:cd|dvd|bd)[-+](?:ram|rw|re|r)`)

// group is the directory of a test's discs: by its name, or that of the test it is a
// part of, and by the medium that is named in the part.
func group(test string) string {
	top, part, _ := strings.Cut(test, "/")
	if os.Getenv(AllEnv) != "" {
		return plain(test)
	}
	if m := medium.FindString(part); m != "" {
		top += "-" + m
	}
	return top
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
