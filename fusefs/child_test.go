package fusefs

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"burnfs/session/staging"
	"burnfs/session/tree"
)

// childMain is the test binary as a program that works on a mount, for what
// common tools do not do.
func childMain(args []string) error {
	ops := map[string]func(args []string) error{
		"unlink-open":   unlinkOpen,
		"mmap":          mmapShared,
		"mmap-closed":   mmapClosed,
		"append":        appendTwice,
		"readdir":       readdirWhileChanging,
		"seekdir":       seekdir,
		"fallocate":     fallocate,
		"hold":          hold,
		"xattr-flags":   xattrFlags,
		"fsync-caught":  fsyncCaught,
		"lock":          locks,
		"serve":         serve,
		"many":          many,
		"mount-as-user": mountAsUser,
		"rename-flags":  renameFlags,
		"readdir-after": readdirRemoved,
		"across":        across,
	}
	op, ok := ops[args[0]]
	if !ok {
		return fmt.Errorf("no operation %q", args[0])
	}
	return op(args[1:])
}

// unlinkOpen writes to and reads from a file that has no name any more.
func unlinkOpen(args []string) error {
	f, err := os.Create(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	if err := os.Remove(args[0]); err != nil {
		return err
	}
	if _, err := f.WriteString("nameless"); err != nil {
		return err
	}
	b := make([]byte, 8)
	if _, err := f.ReadAt(b, 0); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	if _, err := os.Stat(args[0]); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the name is still there: %v", err)
	}
	fmt.Printf("%s %d bytes %d links\n", b, info.Size(), st.Nlink)
	return f.Truncate(3)
}

// mmapShared changes a file through a shared mapping and reads it back by
// read(2).
func mmapShared(args []string) error {
	f, err := os.OpenFile(args[0], os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(3 * 4096); err != nil {
		return err
	}
	m, err := unix.Mmap(int(f.Fd()), 0, 3*4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	copy(m[4090:], "across pages")
	if err := unix.Msync(m, unix.MS_SYNC); err != nil {
		return err
	}
	b := make([]byte, 12)
	if _, err := f.ReadAt(b, 4090); err != nil {
		return err
	}
	if _, err := f.WriteAt([]byte("ACROSS"), 4090); err != nil {
		return err
	}
	fmt.Printf("%s, %s\n", b, m[4090:4102])
	return unix.Munmap(m)
}

// mmapClosed changes a file through a mapping after the descriptor is closed.
func mmapClosed(args []string) error {
	f, err := os.OpenFile(args[0], os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if err := f.Truncate(4096); err != nil {
		return err
	}
	m, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	copy(m, "late")
	return unix.Munmap(m)
}

// appendTwice appends by two descriptors in turn.
func appendTwice(args []string) error {
	var files [2]*os.File
	for i := range files {
		f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		files[i] = f
	}
	for i := range 10 {
		if _, err := fmt.Fprintf(files[i%2], "line %d\n", i); err != nil {
			return err
		}
	}
	return nil
}

// rawEntry is what getdents64(2) says of one entry.
type rawEntry struct {
	ino  uint64
	next int64 // position after it
	typ  byte
	name string
}

// getdents reads the next entries, a few at a time.
func getdents(f *os.File) ([]rawEntry, error) {
	buf := make([]byte, 4096)
	n, err := unix.Getdents(int(f.Fd()), buf)
	var all []rawEntry
	for b := buf[:max(n, 0)]; len(b) > 0; {
		// struct linux_dirent64: d_ino u64, d_off s64, d_reclen u16, d_type u8, d_name
		size := binary.NativeEndian.Uint16(b[16:])
		name, _, _ := bytes.Cut(b[19:size], []byte{0})
		all = append(all, rawEntry{
			ino: binary.NativeEndian.Uint64(b), next: int64(binary.NativeEndian.Uint64(b[8:])), typ: b[18], name: string(name),
		})
		b = b[size:]
	}
	return all, err
}

// readdirWhileChanging reads a directory of args[1] files and removes, adds
// and renames others on the way. Every file that stays must be seen once.
func readdirWhileChanging(args []string) error {
	dir := args[0]
	count, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	for i := range count {
		if err := os.WriteFile(fmt.Sprintf("%s/f%05d", dir, i), nil, 0o644); err != nil {
			return err
		}
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	seen := map[string]int{}
	for step := 0; ; step++ {
		part, err := getdents(f)
		if err != nil {
			return err
		}
		if len(part) == 0 {
			break
		}
		for _, e := range part {
			seen[e.name]++
		}
		// Odd names go, from both ends towards the middle; new ones come.
		for _, i := range []int{2*step + 1, count - 1 - 2*step} {
			if i%2 == 1 && i > 0 && i < count {
				if err := os.Remove(fmt.Sprintf("%s/f%05d", dir, i)); err != nil && !os.IsNotExist(err) {
					return err
				}
			}
		}
		if err := os.WriteFile(fmt.Sprintf("%s/a%05d", dir, step), nil, 0o644); err != nil {
			return err
		}
	}
	for i := 0; i < count; i += 2 {
		if n := seen[fmt.Sprintf("f%05d", i)]; n != 1 {
			return fmt.Errorf("f%05d was seen %d times", i, n)
		}
	}
	for name, n := range seen {
		if n > 1 {
			return fmt.Errorf("%s was seen %d times", name, n)
		}
	}
	if seen["."] != 1 || seen[".."] != 1 {
		return fmt.Errorf(". or .. is missing")
	}
	// A rewound directory shows what is there now.
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	now := map[string]bool{}
	for {
		part, err := getdents(f)
		if err != nil {
			return err
		}
		if len(part) == 0 {
			break
		}
		for _, e := range part {
			now[e.name] = true
		}
	}
	if !now["a00000"] || now["f00001"] {
		return fmt.Errorf("after rewinddir the old listing is still there")
	}
	return nil
}

// seekdir returns to every position of a directory and must find what stood
// there, also after changes.
func seekdir(args []string) error {
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	var all []rawEntry
	for {
		part, err := getdents(f)
		if err != nil {
			return err
		}
		if len(part) == 0 {
			break
		}
		all = append(all, part...)
	}
	if err := os.WriteFile(filepath.Join(args[0], "0-new"), nil, 0o644); err != nil {
		return err
	}
	for i := len(all) - 2; i >= 0; i -= 7 {
		if _, err := f.Seek(all[i].next, io.SeekStart); err != nil {
			return err
		}
		part, err := getdents(f)
		if err != nil {
			return err
		}
		if len(part) == 0 || part[0] != all[i+1] {
			return fmt.Errorf("after %q comes %v, not %q", all[i].name, part, all[i+1].name)
		}
	}
	// d_ino and d_type are those of stat(2).
	for _, e := range all {
		var st unix.Stat_t
		if err := unix.Lstat(filepath.Join(args[0], e.name), &st); err != nil {
			return err
		}
		if e.name != ".." && st.Ino != e.ino {
			return fmt.Errorf("%s: d_ino %d, st_ino %d", e.name, e.ino, st.Ino)
		}
		if st.Mode>>12 != uint32(e.typ) {
			return fmt.Errorf("%s: d_type %d, st_mode %o", e.name, e.typ, st.Mode)
		}
	}
	return nil
}

// readdirRemoved reads a directory that was removed while it was open.
func readdirRemoved(args []string) error {
	if err := os.Mkdir(args[0], 0o755); err != nil {
		return err
	}
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	if err := os.Remove(args[0]); err != nil {
		return err
	}
	// The kernel answers for every filesystem, glibc makes an empty
	// directory of it.
	if names, err := f.Readdirnames(-1); len(names) > 0 || !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("listing a removed directory: %q, %v", names, err)
	}
	if err := os.WriteFile(fmt.Sprintf("/proc/self/fd/%d/x", f.Fd()), nil, 0o644); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("creating in a removed directory: %v", err)
	}
	return nil
}

// fallocate reports sizes and bytes after each mode.
func fallocate(args []string) error {
	f, err := os.OpenFile(args[0], os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(bytes.Repeat([]byte{'x'}, 10000)); err != nil {
		return err
	}
	fd := int(f.Fd())
	size := func() int64 {
		info, err := f.Stat()
		if err != nil {
			return -1
		}
		return info.Size()
	}
	steps := []struct {
		name     string
		mode     uint32
		off, len int64
	}{
		{"grow", 0, 0, 20000},
		{"keep", unix.FALLOC_FL_KEEP_SIZE, 0, 50000},
		{"punch", unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE, 100, 5000},
		{"zero", unix.FALLOC_FL_ZERO_RANGE, 6000, 1000},
		{"collapse", unix.FALLOC_FL_COLLAPSE_RANGE, 0, 4096},
	}
	for _, s := range steps {
		err := unix.Fallocate(fd, s.mode, s.off, s.len)
		b := make([]byte, 20000)
		if _, rerr := f.ReadAt(b, 0); rerr != nil {
			return rerr
		}
		fmt.Printf("%s %v size %d x %d\n", s.name, err, size(), bytes.Count(b, []byte{'x'}))
	}
	return nil
}

// hold opens a file for writing, says so, and closes it when its input ends.
func hold(args []string) error {
	f, err := os.OpenFile(args[0], os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Println("open")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func xattrFlags(args []string) error {
	for _, s := range []struct {
		flags int
		name  string
	}{
		{unix.XATTR_REPLACE, "user.a"}, {unix.XATTR_CREATE, "user.a"}, {unix.XATTR_CREATE, "user.a"}, {unix.XATTR_REPLACE, "user.a"},
	} {
		fmt.Println(unix.Setxattr(args[0], s.name, []byte("v"), s.flags))
	}
	_, err := unix.Getxattr(args[0], "user.none", nil)
	fmt.Println(err)
	_, err = unix.Getxattr(args[0], "user.a", make([]byte, 0))
	fmt.Println(err)
	fmt.Println(unix.Setxattr(args[0], "user.big", make([]byte, 65536), 0))
	fmt.Println(unix.Removexattr(args[0], "user.none"))
	return nil
}

// renameFlags tries what mv(1) and others fall back from.
func renameFlags(args []string) error {
	for _, flags := range []uint{unix.RENAME_NOREPLACE, unix.RENAME_EXCHANGE, unix.RENAME_WHITEOUT} {
		fmt.Println(unix.Renameat2(unix.AT_FDCWD, args[0], unix.AT_FDCWD, args[1], flags))
	}
	return nil
}

// locks takes both kinds of locks from two descriptions.
func locks(args []string) error {
	open := func() (int, error) { return unix.Open(args[0], unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o644) }
	a, err := open()
	if err != nil {
		return err
	}
	defer unix.Close(a)
	b, err := open()
	if err != nil {
		return err
	}
	defer unix.Close(b)
	fmt.Println("flock", unix.Flock(a, unix.LOCK_EX|unix.LOCK_NB), unix.Flock(b, unix.LOCK_EX|unix.LOCK_NB))
	lk := unix.Flock_t{Type: unix.F_WRLCK, Start: 10, Len: 10}
	fmt.Println("ofd", unix.FcntlFlock(uintptr(a), unix.F_OFD_SETLK, &lk), unix.FcntlFlock(uintptr(b), unix.F_OFD_SETLK, &lk))
	return nil
}

// many creates files until it fails, or args[1] of them.
func many(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	var want []string
	for i := range n {
		name := fmt.Sprintf("%d-%s", i, strings.Repeat("n", i%200))
		if err := os.WriteFile(filepath.Join(args[0], name), []byte(name), 0o600); err != nil {
			return err
		}
		want = append(want, name)
	}
	got, err := os.ReadDir(args[0])
	if err != nil {
		return err
	}
	sort.Strings(want)
	for i, e := range got {
		if e.Name() != want[i] {
			return fmt.Errorf("entry %d is %q, not %q", i, e.Name(), want[i])
		}
	}
	fmt.Println(len(got))
	return nil
}

func childTree(stateDir string) (*tree.Tree, error) {
	store, err := staging.Create(stateDir, staging.Identity{UUID: "child", Kind: staging.KindBlank}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return tree.Open(context.Background(), tree.Options{Store: store, Space: roomy})
}

// serve mounts an empty tree and waits to be killed.
func serve(args []string) error {
	t, err := childTree(args[1])
	if err != nil {
		return err
	}
	s, err := Mount(context.Background(), args[0], t, Options{FSName: "doomed"})
	if err != nil {
		return err
	}
	fmt.Println("mounted")
	return s.Wait()
}

// mountAsUser is the life of a mount without root's rights.
func mountAsUser(args []string) error {
	t, err := childTree(args[1])
	if err != nil {
		return err
	}
	ctx := context.Background()
	_, err = Mount(ctx, "/mnt", t, Options{})
	fmt.Println(err)
	_, err = Mount(ctx, args[0], t, Options{AllowOther: new(true)})
	fmt.Println(errors.Is(err, ErrNotPermitted))
	s, err := Mount(ctx, args[0], t, Options{})
	if err != nil {
		return err
	}
	s.patience = busyStep
	user := exec.Command("/bin/sh", "-c", "cd "+args[0]+" && echo mine >f && stat -c '%U %a' f && read x")
	user.Dir = "/"
	out, err := user.StdoutPipe()
	if err != nil {
		return err
	}
	in, err := user.StdinPipe()
	if err != nil {
		return err
	}
	if err := user.Start(); err != nil {
		return err
	}
	line := make([]byte, 100)
	n, err := out.Read(line)
	fmt.Printf("%s%v\n", line[:n], err)
	fmt.Println(errors.Is(s.Unmount(ctx), ErrBusy))
	if err := in.Close(); err != nil {
		return err
	}
	_ = user.Wait() // read fails
	return s.Unmount(ctx)
}
