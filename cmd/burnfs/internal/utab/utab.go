package utab

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Dir is where libmount keeps the file.
const Dir = "/run/mount"

// Entry is a mount.
type Entry struct {
	Source string
	Target string // canonical mount point
}

// Add notes e, in dir.
func Add(dir string, e Entry) error {
	return change(dir, func(lines []string) []string { return append(without(lines, e), e.line()) })
}

// Remove takes e out. What others noted about the same directory stays.
func Remove(dir string, e Entry) error {
	return change(dir, func(lines []string) []string { return without(lines, e) })
}

func without(lines []string, e Entry) []string {
	var rest []string
	for _, l := range lines {
		fields := strings.Fields(l)
		src, target := false, false
		for _, f := range fields {
			src = src || f == "SRC="+escape(e.Source)
			target = target || f == "TARGET="+escape(e.Target)
		}
		if !src || !target {
			rest = append(rest, l)
		}
	}
	return rest
}

func (e Entry) line() string {
	return fmt.Sprintf("SRC=%s TARGET=%s ROOT=/", escape(e.Source), escape(e.Target))
}

// escape writes what would end a field as octal numbers (fstab(5)).
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch s[i] {
		case ' ', '\t', '\n', '\\', '#':
			fmt.Fprintf(&b, "\\%03o", s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// change replaces the file by what edit makes of its lines.
func change(dir string, edit func([]string) []string) (err error) {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "utab.lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	for {
		if err = unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	name := filepath.Join(dir, "utab")
	old, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var lines []string
	for l := range strings.Lines(string(old)) {
		lines = append(lines, strings.TrimSuffix(l, "\n"))
	}
	var b bytes.Buffer
	for _, l := range edit(lines) {
		b.WriteString(l + "\n")
	}
	if bytes.Equal(b.Bytes(), old) {
		return nil
	}
	tmp, err := os.CreateTemp(dir, "utab.")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b.Bytes())
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
