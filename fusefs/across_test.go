package fusefs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/mmc/emu"
)

// TestAcrossCommits commits while a program has files open and mapped, and lets it
// look at them before and after. What it wrote to is in the next session.
func TestAcrossCommits(t *testing.T) {
	for _, media := range []emu.Media{emu.BDR, emu.DVDRAM} {
		t.Run(string(media), func(t *testing.T) {
			dir := t.TempDir()
			path, state := filepath.Join(dir, "disc"), filepath.Join(dir, "state")
			if err := emu.Create(path, media, emu.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			look := `cd $M; find . -printf '%p %i %M %n %U %G %s %b %T@ %C@\n' | LC_ALL=C sort; find . -type f | LC_ALL=C sort | xargs md5sum`
			var after string
			t.Run("first", func(t *testing.T) {
				disc := openDisc(t, path, state)
				t.Cleanup(func() {
					if err := disc.Close(context.Background()); err != nil {
						t.Error(err)
					}
				})
				m := mountTree(t, disc.Tree(), Options{StagingDir: state, DiscPath: path})
				commit := func() error {
					report, err := disc.Commit(t.Context(), "test", nil)
					if err == nil && !report.Burned {
						err = errors.New("nothing was burned")
					}
					return err
				}
				m.dialogue(m.childCommand("across", m.dir), commit)
				after = m.sh(look)
				if err := commit(); err != nil {
					t.Fatal(err)
				}
				if got := m.sh(look); got != after {
					t.Errorf("the last commit changed\n%s\nto\n%s", after, got)
				}
				m.sh(`echo 3 >/proc/sys/vm/drop_caches`)
				if got := m.sh(look); got != after {
					t.Errorf("from the disc comes\n%s\nnot\n%s", got, after)
				}
			})
			t.Run("second", func(t *testing.T) {
				disc := openDisc(t, path, state)
				t.Cleanup(func() {
					if err := disc.Close(context.Background()); err != nil {
						t.Error(err)
					}
				})
				m := mountTree(t, disc.Tree(), Options{StagingDir: state, DiscPath: path})
				if got := m.sh(look); got != after {
					t.Errorf("the next mount shows\n%s\nnot\n%s", got, after)
				}
			})
		})
	}
}

// dialogue runs a program and does what it wants for each line that it prints.
func (m *mount) dialogue(cmd *exec.Cmd, wants func() error) {
	m.Helper()
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		m.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if err := wants(); err != nil {
			m.Errorf("at %q: %v", lines.Text(), err)
		}
		if _, err := fmt.Fprintln(in); err != nil {
			m.Error(err)
		}
	}
	if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
		m.Fatal(err)
	}
}

// across has files of a mount open and mapped while commits come.
func across(args []string) error {
	a := &acrosser{dir: args[0], answer: bufio.NewReader(os.Stdin)}
	if err := a.run(); err != nil {
		return fmt.Errorf("%s: %w", a.at, err)
	}
	return nil
}

type acrosser struct {
	dir    string
	at     string
	answer *bufio.Reader
}

// commit has all changes burned.
func (a *acrosser) commit(at string) error {
	a.at = at
	fmt.Println(at)
	_, err := a.answer.ReadString('\n')
	return err
}

const acrossSize = 64 << 10

func (a *acrosser) run() error {
	old, changed := bytes.Repeat([]byte("old "), acrossSize/4), bytes.Repeat([]byte("new "), acrossSize/4)
	open := map[string]*os.File{}
	for _, name := range []string{"read", "write", "unlinked", "private", "shared", "moved"} {
		f, err := os.OpenFile(filepath.Join(a.dir, name), os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := f.Write(old); err != nil {
			return err
		}
		open[name] = f
	}
	if err := errors.Join(os.Mkdir(filepath.Join(a.dir, "d"), 0o755), os.Link(filepath.Join(a.dir, "read"), filepath.Join(a.dir, "d", "link"))); err != nil {
		return err
	}
	mapped := func(name string, prot int) ([]byte, error) {
		return unix.Mmap(int(open[name].Fd()), 0, acrossSize, prot, unix.MAP_SHARED)
	}
	ro, err := mapped("private", unix.PROT_READ)
	if err != nil {
		return err
	}
	rw, err := mapped("shared", unix.PROT_READ|unix.PROT_WRITE)
	if err != nil {
		return err
	}
	before, err := stats(open)
	if err != nil {
		return err
	}
	same := func(name string, want []byte) error {
		got := make([]byte, len(want)+1)
		if n, err := open[name].ReadAt(got, 0); n != len(want) || !errors.Is(err, io.EOF) || !bytes.Equal(got[:n], want) {
			return fmt.Errorf("%s: %d bytes, %v, first %.12q, want %d", name, n, err, got, len(want))
		}
		return nil
	}
	look := func() error {
		now, err := stats(open)
		if err != nil {
			return err
		}
		for name, want := range before {
			if now[name] != want {
				err = errors.Join(err, fmt.Errorf("%s: %s, was %s", name, now[name], want))
			}
		}
		for name := range open {
			err = errors.Join(err, same(name, old))
		}
		if !bytes.Equal(ro, old) || !bytes.Equal(rw, old) {
			err = errors.Join(err, errors.New("a mapping shows other bytes"))
		}
		return err
	}
	if err := errors.Join(a.commit("all is new"), look()); err != nil {
		return err
	}
	// What the kernel kept is what the disc has.
	for _, f := range open {
		if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			return err
		}
	}
	if err := errors.Join(os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0), look()); err != nil {
		return fmt.Errorf("without what the kernel kept: %w", err)
	}

	// Files without a name, files elsewhere, pages that nobody has written yet.
	if err := errors.Join(os.Remove(open["unlinked"].Name()), os.Rename(open["moved"].Name(), filepath.Join(a.dir, "d", "there"))); err != nil {
		return err
	}
	copy(rw[:100], changed)
	if err := a.commit("a page is dirty"); err != nil {
		return err
	}
	if !bytes.Equal(rw[:100], changed[:100]) || !bytes.Equal(rw[100:], old[100:]) {
		return errors.New("a dirty page is lost from its mapping")
	}
	if err := errors.Join(same("unlinked", old), same("moved", old), same("read", old), same("shared", rw)); err != nil {
		return err
	}
	copy(rw[8192:], changed[:100])
	if err := unix.Msync(rw, unix.MS_SYNC); err != nil {
		return err
	}
	for _, name := range []string{"write", "unlinked", "moved", "private"} {
		if _, err := open[name].WriteAt(changed[:5000], 3000); err != nil {
			return err
		}
	}
	want := bytes.Clone(old)
	copy(want[3000:], changed[:5000])
	if err := a.commit("all was changed"); err != nil {
		return err
	}
	if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0); err != nil {
		return err
	}
	if !bytes.Equal(ro, want) {
		return errors.New("a mapping that is only read does not show what was written")
	}
	if err := errors.Join(same("write", want), same("unlinked", want), same("moved", want), same("private", want), same("read", old), same("shared", rw)); err != nil {
		return err
	}
	copy(rw[20000:], changed[:100]) // is written back when the mapping ends
	return errors.Join(unix.Munmap(ro), unix.Munmap(rw))
}

// stats is what fstat(2) tells of each file.
func stats(open map[string]*os.File) (map[string]string, error) {
	all := map[string]string{}
	for name, f := range open {
		var st unix.Stat_t
		if err := unix.Fstat(int(f.Fd()), &st); err != nil {
			return nil, err
		}
		all[name] = fmt.Sprintf("ino %d mode %o nlink %d size %d blocks %d mtime %d ctime %d", st.Ino, st.Mode, st.Nlink, st.Size, st.Blocks, st.Mtim.Nano(), st.Ctim.Nano())
	}
	return all, nil
}
