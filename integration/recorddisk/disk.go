package recorddisk

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bazil.org/fuse"
	"bazil.org/fuse/fs"
	"golang.org/x/sys/unix"
)

// pointVariable tells the test binary that it is to serve a disk, and where.
const pointVariable = "BURNFS_RECORDDISK_POINT"

// Main serves a disk if the process was started for that, and tells whether it was. A test
// binary calls it first of all in TestMain and ends if it was.
func Main() bool {
	point := os.Getenv(pointVariable)
	if point == "" {
		return false
	}
	if err := serve(point); err != nil {
		fmt.Fprintln(os.Stderr, "recorddisk:", err)
		os.Exit(1)
	}
	return true
}

// serve shows the image that comes in on point until it is unmounted, then tells what was
// done. The end of the input means that nobody is interested any more.
func serve(point string) error {
	s := &server{nodes: map[uint64]*node{}}
	if err := gob.NewDecoder(os.Stdin).Decode(&s.image); err != nil {
		return err
	}
	conn, err := fuse.Mount(point, fuse.FSName("recorddisk"), fuse.Subtype("recorddisk"))
	if err != nil {
		return err
	}
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		_ = err // either way it is the end
		if err := unix.Unmount(point, unix.MNT_DETACH); err == nil {
			os.Exit(1)
		}
	}()
	out := gob.NewEncoder(os.Stdout)
	if err := out.Encode(true); err != nil {
		return err
	}
	if err := errors.Join(fs.Serve(conn, s), conn.Close()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return out.Encode(s.ops)
}

// Disk is a mounted disk that is being recorded.
type Disk struct {
	Dir string // where it is mounted

	start *Image
	cmd   *exec.Cmd
	in    io.Closer
	out   *gob.Decoder
	mu    sync.Mutex
	marks *os.File
}

// Mount mounts a disk that shows start on dir, which it makes. When the test ends, it is
// unmounted.
func Mount(t testing.TB, start *Image, dir string) *Disk {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d := &Disk{Dir: dir, start: start, cmd: exec.Command(self)}
	d.cmd.Env = append(os.Environ(), pointVariable+"="+dir)
	d.cmd.Stderr = os.Stderr
	in, err := d.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.in, d.out = in, gob.NewDecoder(out)
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if d.cmd == nil {
			return
		}
		_ = d.in.Close()
		_ = d.cmd.Wait() // the test has failed already
	})
	var ready bool
	if err := errors.Join(gob.NewEncoder(in).Encode(start), d.out.Decode(&ready)); err != nil {
		t.Fatalf("mounting %s: %v", dir, err)
	}
	if d.marks, err = os.OpenFile(filepath.Join(dir, markName), os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	}
	return d
}

// Mark puts a mark into the history: what was done before the call stands before it, what
// is done after the call behind it.
func (d *Disk) Mark(format string, args ...any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err := d.marks.WriteAt([]byte(fmt.Sprintf(format, args...)), 0)
	return err
}

// Stop unmounts the disk, on which no file may be open, and returns what was done.
func (d *Disk) Stop(t testing.TB) *History {
	t.Helper()
	err := d.marks.Close()
	for wait := time.Millisecond; err == nil; wait *= 2 {
		// RELEASE of a closed file may still be under way.
		if err = unix.Unmount(d.Dir, 0); !errors.Is(err, unix.EBUSY) || wait > 2*time.Second {
			break
		}
		err = nil
		time.Sleep(wait)
	}
	if err != nil {
		t.Fatalf("unmounting %s: %v", d.Dir, err)
	}
	h := &History{Start: d.start}
	if err := d.out.Decode(&h.Ops); err != nil {
		t.Fatalf("what was done to %s: %v", d.Dir, err)
	}
	err = errors.Join(d.in.Close(), d.cmd.Wait())
	d.cmd = nil
	if err != nil {
		t.Fatal(err)
	}
	return h
}
