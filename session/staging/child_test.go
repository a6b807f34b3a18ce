package staging

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// children are what the test binary does when it is run as a child of a test.
var children = map[string]func(args []string) error{
	"work":      childWork,
	"hold":      childHold,
	"limit":     childLimit,
	"addresses": childAddresses,
	"tmpfs":     childTmpfs,
}

const childVariable = "BURNFS_STAGING_TEST_CHILD"

func TestMain(m *testing.M) {
	if run := children[os.Getenv(childVariable)]; run != nil {
		if err := run(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	return cmd
}

// childWork does random things to the store in args[0] for ever and prints the number of
// each commit that has returned.
func childWork(args []string) error {
	seed, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	w := newWorld(rand.New(rand.NewPCG(seed, 0)))
	w.committed = func(n uint64) { fmt.Println(n) }
	how := smallLayout(nil)
	how.manual = false
	if w.s, err = open(args[0], "u", slog.New(slog.DiscardHandler), how); err != nil {
		return err
	}
	if w.now, err = load(w.s); err != nil {
		return err
	}
	if err := w.s.View(func(r Reader) error {
		if v := r.Meta("commits"); v != nil {
			w.commits = binary.BigEndian.Uint64(v)
		}
		return nil
	}); err != nil {
		return err
	}
	w.keep = true
	for {
		if err := w.do(); err != nil {
			return err
		}
	}
}

// A process that is killed at any moment leaves a commit that is whole, and none later than
// one that has returned.
func TestKill(t *testing.T) {
	r := newRand(t)
	state := create(t)
	for round := range 12 {
		cmd := child(t, "work", state, strconv.FormatUint(r.Uint64(), 10))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var problems bytes.Buffer
		cmd.Stderr = &problems
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 1 + r.IntN(12) {
			lines.Scan()
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		last := lines.Text()
		for lines.Scan() {
			last = lines.Text()
		}
		if err := cmd.Wait(); err == nil || problems.Len() > 0 {
			t.Fatalf("round %d: the child ended by itself: %s", round, &problems)
		}
		acknowledged, err := strconv.ParseUint(last, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		verifyKilled(t, r, state, acknowledged)
	}
}

func verifyKilled(t *testing.T, r *rand.Rand, state string, acknowledged uint64) {
	t.Helper()
	findings, err := check(state, "u", pieceRangesSmall)
	if err != nil || len(findings) > 0 {
		t.Fatalf("Check: %v, %v", findings, err)
	}
	w := newWorld(r)
	var sum []byte
	var commits uint64
	s, err := open(state, "u", slog.New(slog.DiscardHandler), smallLayout(nil))
	if err != nil {
		t.Fatal(err)
	}
	if w.durable, err = load(s); err != nil {
		t.Fatal(err)
	}
	if err := s.View(func(r Reader) error {
		sum = bytes.Clone(r.Meta("sum"))
		commits = binary.BigEndian.Uint64(r.Meta("commits"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sum, w.durable.sum()) {
		t.Fatal("the records are of different commits")
	}
	if commits < acknowledged || commits > acknowledged+1 {
		t.Fatalf("commit %d was found, %d had returned", commits, acknowledged)
	}
	if err := w.recover(state, smallLayout(nil)); err != nil {
		t.Fatal(err)
	}
	if err := w.s.Close(); err != nil {
		t.Fatal(err)
	}
}

// pieceRangesSmall leaves the ranges out, which Check would look for in segments of the
// usual size.
func pieceRangesSmall(_ uint64, rec []byte) ([]Range, error) {
	_, err := decodePieces(rec)
	return nil, err
}

// childHold opens the store in args[0], says so and waits for its input to end.
func childHold(args []string) error {
	s, err := Open(args[0], "u", slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	_ = err // the end of the input
	return s.Close()
}

// Who has the store open is named; when it dies, the lock dies with it.
func TestLock(t *testing.T) {
	state := create(t)
	cmd := child(t, "hold", state)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(line, err)
	}
	for what, open := range map[string]func() error{
		"Open":   func() error { _, err := Open(state, "u", slog.Default()); return err },
		"Create": func() error { _, err := Create(state, Identity{UUID: "u"}, slog.Default()); return err },
		"Check":  func() error { _, err := check(state, "u", pieceRanges); return err },
	} {
		err := open()
		var locked *LockedError
		if !errors.Is(err, ErrLocked) || !errors.As(err, &locked) || locked.PID != cmd.Process.Pid {
			t.Errorf("%s: %v, want ErrLocked by process %d", what, err, cmd.Process.Pid)
		} else if !strings.Contains(err.Error(), strconv.Itoa(cmd.Process.Pid)) {
			t.Errorf("%s: %v does not name the process", what, err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the child was not killed")
	}
	s, err := Open(state, "u", slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// fillUp appends and commits until the disk is full, checks that nothing is broken, and that
// deleting makes room again.
func fillUp(s *Store) error {
	p := piece{len: 256 << 10}
	f := files{}
	for ino := uint64(1); ; ino++ {
		p.seed = ino
		addr, err := s.Append(p.bytes())
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil {
			return fmt.Errorf("append: %w", err)
		}
		p.addr = addr
		f[ino] = []piece{p}
		if ino > 1000 {
			return errors.New("the disk is never full")
		}
	}
	if len(f) < 4 {
		return fmt.Errorf("only %d files fit", len(f))
	}
	b := s.NewBatch()
	for ino, ps := range f {
		b.PutInode(ino, encodePieces(ps))
	}
	if err := s.Commit(b); err != nil {
		return fmt.Errorf("commit on a full disk: %w", err)
	}
	if err := f.verify(s); err != nil {
		return err
	}
	for ino := range f {
		if ino%2 == 0 {
			s.Free(f[ino][0].addr, f[ino][0].len)
			delete(f, ino)
		}
	}
	b = s.NewBatch()
	for ino := range uint64(1002) {
		if f[ino] == nil {
			b.DeleteInode(ino)
		}
	}
	if err := s.Commit(b); err != nil {
		return fmt.Errorf("delete on a full disk: %w", err)
	}
	return f.verify(s)
}

func childLimit(args []string) error {
	limit := unix.Rlimit{Cur: 32 << 20, Max: 32 << 20}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	s, err := Open(args[0], "u", slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if err := fillUp(s); err != nil {
		return err
	}
	return s.Close()
}

// A limit on the size of files (ulimit -f) is a full disk, not a death.
func TestFileSizeLimit(t *testing.T) {
	state := create(t)
	if out, err := child(t, "limit", state).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	findings, err := check(state, "u", pieceRanges)
	if err != nil || len(findings) > 0 {
		t.Fatal(findings, err)
	}
}

// childTmpfs works on a file system of its own, 24 MiB in size.
func childTmpfs(args []string) error {
	// What is mounted here must not appear anywhere else.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", args[0], "tmpfs", 0, "size=24m"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	s, err := Create(args[0], Identity{UUID: "u"}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if err := fillUp(s); err != nil {
		return err
	}
	// After the deletion there is room.
	if _, err := s.Append(make([]byte, 1<<20)); err != nil {
		return fmt.Errorf("append after deleting: %w", err)
	}
	// Fill the file system behind the store's back, to the last byte.
	rest, err := os.Create(filepath.Join(args[0], "rest"))
	if err != nil {
		return err
	}
	for chunk := make([]byte, 1<<20); len(chunk) > 0; {
		if _, err := rest.Write(chunk); err != nil {
			chunk = chunk[:len(chunk)/2]
		}
	}
	big := s.NewBatch()
	for ino := range uint64(2000) {
		big.PutInode(ino+10000, make([]byte, 1000))
	}
	for range 2 {
		if err := s.Commit(big); !errors.Is(err, ErrFull) {
			return fmt.Errorf("commit on a full file system: %w", err)
		}
	}
	if err := rest.Truncate(0); err != nil {
		return err
	}
	if err := s.Commit(big); err != nil {
		return fmt.Errorf("commit after making room: %w", err)
	}
	if err := errors.Join(rest.Close(), s.Close()); err != nil {
		return err
	}
	findings, err := check(args[0], "u", func(ino uint64, rec []byte) ([]Range, error) {
		if ino >= 10000 {
			return nil, nil
		}
		return pieceRanges(ino, rec)
	})
	if err != nil || len(findings) > 0 {
		return fmt.Errorf("%v, %w", findings, err)
	}
	return nil
}

// A file system that is really full. It needs a mount, which needs a user namespace or root.
func TestFullFileSystem(t *testing.T) {
	cmd := child(t, "tmpfs", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
