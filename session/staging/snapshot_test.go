package staging

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A snapshot shows what was committed before it, and holds no commit up, however
// much the database grows: one that had to make its map larger would wait for it.
func TestSnapshot(t *testing.T) {
	const batches, perBatch = 10, 10_000
	state := create(t)
	s := reopen(t, state, layout{})
	b := s.NewBatch()
	for i := range uint64(1000) {
		b.PutInode(i, fmt.Append(nil, "old ", i))
		b.PutDentry(7, fmt.Sprint("old ", i), []byte{1})
	}
	mustCommit(t, s, b)
	snap, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		fi, err := os.Stat(filepath.Join(s.Dir(), metaName))
		if err != nil {
			t.Fatal(err)
		}
		return fi.Size()
	}
	before := size()
	done := make(chan error, 1)
	go func() {
		for k := range uint64(batches) {
			b := s.NewBatch()
			for i := range uint64(perBatch) {
				b.PutInode(k*perBatch+i, make([]byte, 300))
				b.DeleteDentry(7, fmt.Sprint("old ", k*perBatch+i))
				b.PutDentry(7, fmt.Sprint("new ", k*perBatch+i), []byte{2})
			}
			if err := s.Commit(b); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	select {
	case err = <-done:
	case <-time.After(5 * time.Minute):
		err = errors.Join(errors.New("commits wait for the snapshot"), snap.Close(), <-done)
	}
	if err != nil {
		t.Fatal(err)
	}
	if grown := size() - before; grown < 30<<20 {
		t.Errorf("the database grew by %d bytes only", grown)
	}
	check := func() (inodes, names int) {
		if err := snap.View(func(r Reader) error {
			for ino, rec := range r.Inodes() {
				inodes++
				if string(rec) != fmt.Sprint("old ", ino) {
					t.Fatalf("inode %d is %q", ino, rec)
				}
			}
			for name := range r.Dentries(7) {
				names++
				if name[:4] != "old " {
					t.Fatalf("name %q", name)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return inodes, names
	}
	if inodes, names := check(); inodes != 1000 || names != 1000 {
		t.Errorf("the snapshot has %d inodes and %d names", inodes, names)
	}
	if err := errors.Join(snap.Close(), snap.Close()); err != nil {
		t.Error(err)
	}
	if err := snap.View(func(Reader) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed snapshot: %v", err)
	}
}

func TestSnapshotOfAClosedStore(t *testing.T) {
	s := reopen(t, create(t), layout{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Snapshot(); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
}

// childAddresses works with 2 GiB of address space left.
func childAddresses(args []string) error {
	var pages uint64
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return err
	}
	if _, err := fmt.Sscan(string(b), &pages); err != nil {
		return err
	}
	limit := pages*uint64(os.Getpagesize()) + 2<<30
	if err := unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	s, err := Open(args[0], "u", slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return s.Close()
}

// A limit on the address space (ulimit -v) makes the map of the database smaller.
func TestAddressSpaceLimit(t *testing.T) {
	if out, err := child(t, "addresses", create(t)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
