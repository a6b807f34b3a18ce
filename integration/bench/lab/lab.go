package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hashicorp/go-multierror"
	"golang.org/x/sys/unix"
)

// Lab is where things are measured.
type Lab struct {
	Dir    string  // everything is below it
	Burnfs string  // the binary
	Self   string  // the program that measures, which also makes large discs
	Scale  float64 // of all sizes and numbers of files
	Log    *slog.Logger
	// Sync writes what the kernel holds back: sync(2) unless somebody says otherwise.
	Sync func()

	cold    string // how the page cache was emptied; see Cold
	servers []*Server
	inputs  map[string]string // made so far, by name
}

// New makes a directory of its own below dir.
func New(dir, burnfs, self string, scale float64, log *slog.Logger) (*Lab, error) {
	own, err := os.MkdirTemp(dir, "burnfs-bench-")
	if err != nil {
		return nil, err
	}
	return &Lab{Dir: own, Burnfs: burnfs, Self: self, Scale: scale, Log: log, Sync: unix.Sync, inputs: make(map[string]string)}, nil
}

// Close ends every daemon that was started and is still there, and removes everything.
func (l *Lab) Close() error {
	var errs *multierror.Error
	for _, s := range l.servers {
		errs = multierror.Append(errs, s.kill())
	}
	return multierror.Append(errs, os.RemoveAll(l.Dir)).ErrorOrNil()
}

// Count is a number of files in the lab's scale, at least 1.
func (l *Lab) Count(n int) int { return max(1, int(float64(n)*l.Scale)) }

// Size is a number of bytes in the lab's scale: whole MiB, at least one.
func (l *Lab) Size(n int64) int64 { return max(1, int64(float64(n>>20)*l.Scale)) << 20 }

// Place makes an empty directory for one run.
func (l *Lab) Place() (string, error) { return os.MkdirTemp(l.Dir, "run-") }

// Leave removes what a run left, and waits until the file system has written it all: what
// one contestant wrote is not to be written while the next one is measured.
func (l *Lab) Leave(place string) error {
	err := os.RemoveAll(place)
	l.Sync()
	return err
}

// How the page cache is emptied.
const (
	byDropCaches = "drop_caches"
	byAdvice     = "posix_fadvise"
)

// Cold empties the page cache, so that what is read next comes from the local disk. Who may
// not write to drop_caches has to make do with the files that are named. What stays warm
// are the programs: to start one is not what is measured.
func (l *Lab) Cold(files ...string) error {
	l.Sync()
	err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0)
	if err == nil {
		l.cold = byDropCaches
		return l.warm()
	}
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, unix.EROFS) {
		return err
	}
	l.cold = byAdvice
	for _, name := range files {
		if err := forget(name); err != nil {
			return err
		}
	}
	return nil
}

// The programs that read mounts.
var readers = []string{"sh", "find", "tar", "dd", "grep", "wc", "xorriso"}

// warm reads programs into the page cache again.
func (l *Lab) warm() error {
	paths := []string{l.Burnfs}
	for _, name := range readers {
		if path, err := exec.LookPath(name); err == nil {
			paths = append(paths, path)
		}
	}
	for _, path := range paths {
		if _, err := os.ReadFile(path); err != nil {
			return err
		}
	}
	return nil
}

// ColdBy tells how the cache was emptied, "" if it was not yet.
func (l *Lab) ColdBy() string { return l.cold }

func forget(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// input makes something once. Make gets the path of a file that does not exist yet.
func (l *Lab) input(name string, make func(path string) error) (string, error) {
	if path, ok := l.inputs[name]; ok {
		return path, nil
	}
	l.Log.Info("making an input", "name", name)
	path := filepath.Join(l.Dir, "input-"+name)
	if err := make(path); err != nil {
		return "", fmt.Errorf("input %s: %w", name, err)
	}
	l.Sync()
	l.inputs[name] = path
	return path, nil
}

// Drop removes an input that nobody needs any more.
func (l *Lab) Drop(path string) error {
	for name, p := range l.inputs {
		if p == path {
			delete(l.inputs, name)
		}
	}
	return os.RemoveAll(path)
}

// MustSucceed runs a command of which nothing is measured.
func (l *Lab) MustSucceed(ctx context.Context, name string, args ...string) error {
	_, _, err := l.Run(ctx, name, args...)
	return err
}
