package lab

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Input times are whole seconds, so that programs agree on them whose file systems do not
// record more.
var inputTime = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// Files of the small tree.
const (
	smallSize  = 1 << 10
	perDirFile = 1000
)

// noise yields bytes that no program can compress, and none of them twice.
func noise(seed string) io.Reader {
	return rand.NewChaCha8(sha256.Sum256([]byte(seed)))
}

// Tree is a directory of so many files of 1 KiB, a thousand in each of its directories. No
// two are alike.
func (l *Lab) Tree(files int) (string, error) {
	return l.input("tree-"+strconv.Itoa(files), func(path string) error {
		return SmallFiles(path, files)
	})
}

// SmallFiles makes such a tree somewhere else; its bytes are those of no other tree.
func SmallFiles(root string, files int) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	content, buf := noise(root), make([]byte, smallSize)
	for first := 0; first < files; first += perDirFile {
		dir := filepath.Join(root, fmt.Sprintf("directory-%04d", first/perDirFile))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		for i := first; i < min(first+perDirFile, files); i++ {
			if _, err := io.ReadFull(content, buf); err != nil {
				return err
			}
			name := filepath.Join(dir, fmt.Sprintf("file-%07d.txt", i))
			if err := errors.Join(os.WriteFile(name, buf, 0o644), os.Chtimes(name, inputTime, inputTime)); err != nil {
				return err
			}
		}
		if err := os.Chtimes(dir, inputTime, inputTime); err != nil {
			return err
		}
	}
	return os.Chtimes(root, inputTime, inputTime)
}

// Big is a directory that holds one file, "big", of noise.
func (l *Lab) Big(size int64) (string, error) {
	return l.input("big-"+strconv.FormatInt(size, 10), func(path string) error {
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		return errors.Join(NoiseFile(filepath.Join(path, "big"), size), os.Chtimes(path, inputTime, inputTime))
	})
}

// NoiseFile makes a file of noise.
func NoiseFile(path string, size int64) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, f.Close(), os.Chtimes(path, inputTime, inputTime))
	}()
	return Noise(f, path, size)
}

// Noise writes noise that no other seed yields.
func Noise(f *os.File, seed string, size int64) error {
	w := bufio.NewWriterSize(f, 1<<20)
	if _, err := io.CopyN(w, noise(seed), size); err != nil {
		return err
	}
	return w.Flush()
}

// ISO is an image of a directory, made by genisoimage with Rock Ridge and Joliet, which
// every contestant reads.
func (l *Lab) ISO(ctx context.Context, dir string) (string, error) {
	return l.input(filepath.Base(dir)+".iso", func(path string) error {
		if err := Need("genisoimage", "genisoimage"); err != nil {
			return err
		}
		return l.MustSucceed(ctx, "genisoimage", "-quiet", "-R", "-J", "-o", path, dir)
	})
}

// MadeUp is an image of files that exist nowhere else: so many in each of so many
// directories, with 1 KiB of zeros each. The directories lie in chains of the given
// depth.
func (l *Lab) MadeUp(ctx context.Context, dirs, perDir, depth int) (string, error) {
	name := fmt.Sprintf("made-up-%d-%d-%d.iso", dirs, perDir, depth)
	return l.input(name, func(path string) error {
		// In another process, because this one would keep the memory.
		return l.MustSucceed(ctx, l.Self, MakeUp, path, strconv.Itoa(dirs), strconv.Itoa(perDir), strconv.Itoa(depth))
	})
}

// DropMadeUp removes all of these images.
func (l *Lab) DropMadeUp() error {
	var errs []error
	for name, path := range l.inputs {
		if strings.HasPrefix(name, "made-up-") {
			errs = append(errs, l.Drop(path))
		}
	}
	return errors.Join(errs...)
}

// MakeUp is the argument that makes the measuring program a maker of discs.
const MakeUp = "make-up"
