package session

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/mmc/emu"
	"burnfs/session/tree"
)

// TestFullDiscAlwaysCommits fills small discs until write(2) says that they are
// full, with files of all sizes and names of all lengths: what was accepted
// must always fit when it is burned, and deleting must always be recordable.
func TestFullDiscAlwaysCommits(t *testing.T) {
	for _, c := range []struct {
		media  emu.Media
		blocks int64
		reason string
	}{
		{"cd-r", 60_000, "gaps of 11400 and 6900 blocks and tracks of at least 300"},
		{"cd-rw", 40_000, "a CD that takes one session only"},
		{"dvd+r", 8_192, "write units of 16 blocks"},
		{"bd-r", 16_384, "write units of 32 blocks"},
		{"bd-re", 4_096, "sessions at multiples of 32 blocks"},
		{"dvd+rw", 4_096, "aligned writes"},
	} {
		t.Run(string(c.media), func(t *testing.T) {
			t.Parallel()
			const seed = 7
			t.Logf("seed %d; %s", seed, c.reason)
			rng := rand.New(rand.NewPCG(seed, 0))
			r := newRig(t, "")
			if err := emu.Create(r.path, c.media, emu.CreateOptions{Blocks: c.blocks}); err != nil {
				t.Fatal(err)
			}
			r.open()
			burned := 0
			for session := 0; session < 6; session++ {
				tr := r.disc.Tree()
				if r.disc.Status().ReadOnly {
					break
				}
				full := false
				for i := 0; !full && i < 3000; i++ {
					name := fmt.Sprintf("%d-%d%s", session, i, strings.Repeat("n", rng.IntN(240)))
					mode := uint32(unix.S_IFREG | 0o644)
					if rng.IntN(10) == 0 {
						mode = unix.S_IFDIR | 0o755
					}
					n, err := tr.Create(r.ctx, tr.Root(), name, tree.New{Mode: mode})
					if err == nil && mode&unix.S_IFMT == unix.S_IFREG {
						size := rng.IntN(5000)
						if rng.IntN(20) == 0 {
							size = rng.IntN(1 << 20)
						}
						if _, err = tr.WriteAt(r.ctx, n, make([]byte, size), 0, false); err == nil && rng.IntN(8) == 0 {
							err = tr.SetXattr(r.ctx, n, "user.x", make([]byte, rng.IntN(3000)), 0)
						}
					}
					if err != nil {
						if !errors.Is(err, tree.ErrFull) {
							t.Fatalf("session %d, file %d: %v", session, i, err)
						}
						full = true
					}
				}
				want := r.manifest()
				if rep := r.remount(); rep.Burned {
					burned++
				}
				r.same(fmt.Sprintf("session %d", session), want)
			}
			if burned == 0 {
				t.Fatal("nothing was ever burned")
			}
			if r.disc.Status().ReadOnly {
				return
			}
			// The reserve is for this.
			tr := r.disc.Tree()
			list, err := tr.ReadDir(r.ctx, tr.Root())
			if err != nil || len(list) == 0 {
				t.Fatal(err)
			}
			if err := tr.Remove(r.ctx, tr.Root(), list[0].Name, list[0].Type == unix.S_IFDIR); err != nil {
				t.Fatalf("deleting on a full disc: %v", err)
			}
			want := r.manifest()
			r.remount()
			r.same("after deleting on a full disc", want)
		})
	}
}

// TestForeignDiscs continues discs that other programs began.
func TestForeignDiscs(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, src, iso string) *exec.Cmd
	}{
		{"genisoimage", func(_ *testing.T, src, iso string) *exec.Cmd {
			return exec.Command("genisoimage", "-quiet", "-R", "-J", "-o", iso, src)
		}},
		{"genisoimage without Rock Ridge", func(_ *testing.T, src, iso string) *exec.Cmd {
			return exec.Command("genisoimage", "-quiet", "-o", iso, src)
		}},
		{"xorriso", func(_ *testing.T, src, iso string) *exec.Cmd {
			return exec.Command("xorriso", "-outdev", "stdio:"+iso, "-map", src, "/", "-commit")
		}},
		{"xorriso as mkisofs", func(_ *testing.T, src, iso string) *exec.Cmd {
			return exec.Command("xorriso", "-as", "mkisofs", "-R", "-J", "-o", iso, src)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := t.TempDir()
			sh(t, src, `mkdir -p d/e && echo one >d/one && echo two >d/e/two && ln d/one d/hard && head -c 100000 /dev/urandom >big && : >empty && ln -s d/one sym`)
			r := newRig(t, "")
			if out, err := c.make(t, src, r.path).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			r.open()
			if r.disc.Status().ReadOnly {
				t.Fatal(r.disc.Status().ReadOnlyReason)
			}
			r.manifest() // makes the link counts of directories known
			first := r.manifest()
			r.put("ours", []byte("added by us"))
			want := r.manifest()
			r.remount()
			r.same("after our session", want)
			r.put("ours2", []byte("again"))
			want = r.manifest()
			r.remount()
			r.same("after our second session", want)
			sessions := r.disc.Status().Disc.Sessions
			if sessions != 3 {
				t.Errorf("%d sessions, want 3", sessions)
			}
			r.close()
			r.opt.Session = 1
			r.open()
			r.manifest()
			r.same("first session", first)
		})
	}
}

func sh(t *testing.T, dir, script string) {
	t.Helper()
	c := exec.Command("sh", "-ec", script)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", script, err, out)
	}
}

// TestForeignSessionMeanwhile: somebody else writes to the disc while changes
// are staged for it.
func TestForeignSessionMeanwhile(t *testing.T) {
	src := t.TempDir()
	sh(t, src, "echo foreign >foreign")
	r := newRig(t, "")
	r.open()
	r.put("a", []byte("a"))
	r.remount()
	r.put("staged", []byte("must not be lost"))
	r.close()
	if out, err := exec.Command("xorriso", "-dev", "stdio:"+r.path, "-map", src, "/x", "-commit").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	err := r.tryOpen()
	if !errors.Is(err, ErrDiscChanged) || !strings.Contains(err.Error(), r.opt.StateDir) {
		t.Fatalf("error %v, want ErrDiscChanged that names the staging directory", err)
	}
	r.opt.ReadOnly = true
	r.open()
	if got := string(r.get(r.dir("x/foreign"))); got != "foreign\n" {
		t.Errorf("read only, the foreign session shows %q", got)
	}
}

func TestAudioFirst(t *testing.T) {
	r := newRig(t, "")
	if err := emu.Create(r.path, "cd-r", emu.CreateOptions{AudioFirstSession: true}); err != nil {
		t.Fatal(err)
	}
	r.open()
	if list, err := r.disc.Tree().ReadDir(r.ctx, r.disc.Tree().Root()); err != nil || len(list) != 0 {
		t.Fatalf("a disc of audio shows %v, %v", list, err)
	}
	r.put("data", []byte("CD Extra"))
	want := r.manifest()
	if rep := r.remount(); rep.Session != 2 || rep.Start < 11400 {
		t.Errorf("data session %d at block %d", rep.Session, rep.Start)
	}
	r.same("data session", want)
	r.put("more", []byte("more"))
	want = r.manifest()
	r.remount()
	r.same("third session", want)
}
