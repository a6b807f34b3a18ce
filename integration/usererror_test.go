package integration

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
	"burnfs/integration/judge"
	"burnfs/integration/manifest"
)

// Exit statuses that a user may rely on; they are in burnfs(1).
const (
	exitUsage      = 2
	exitDisc       = 3
	exitFull       = 4
	exitBusy       = 5
	exitStaging    = 7
	exitInUse      = 8
	exitMount      = 9
	exitNotMounted = 11
)

// expectFailure checks what a user gets to see: the exit status, a first line that
// says what happened in words, and nothing that only a programmer understands.
func expectFailure(l *harness.Lab, reason string, r harness.Result, code int, words ...string) {
	l.Helper()
	if r.Code != code {
		l.Errorf("%s: exit status %d, should be %d\n%v", reason, r.Code, code, r)
	}
	first, _, _ := strings.Cut(r.Stderr, "\n")
	if !strings.Contains(first, ": ") || len(first) < 20 {
		l.Errorf("%s: the first line is no sentence: %q", reason, first)
	}
	for _, w := range words {
		if !strings.Contains(strings.ToLower(r.Stderr), strings.ToLower(w)) {
			l.Errorf("%s: the message does not say %q:\n%s", reason, w, r.Stderr)
		}
	}
	for _, bad := range []string{"panic", "goroutine", "%!", "<nil>", "0x"} {
		if strings.Contains(r.Stderr, bad) {
			l.Errorf("%s: the message contains %q:\n%s", reason, bad, r.Stderr)
		}
	}
}

// TestWhatIsNoDisc: files that cannot be mounted are refused and left as they are.
func TestWhatIsNoDisc(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	mnt := l.Mkdir("mnt", 0o755)
	file := func(name string, content []byte) string {
		p := l.Path(name)
		if err := os.WriteFile(p, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	noise := harness.Noise(harness.Rand(t), 1<<20)
	zip := append([]byte("PK\x03\x04"), noise...)
	udf := make([]byte, 1<<20)
	copy(udf[16*blockSize+1:], "BEA01\x01")
	copy(udf[17*blockSize+1:], "NSR02\x01")
	copy(udf[18*blockSize+1:], "TEA01\x01")
	damaged := l.Path("damaged.img")
	l.MustBurnfs("create", "--media", "bd-r", damaged)
	if err := os.WriteFile(damaged+".medium", []byte(`{"format":"burnfs medium","version":1,`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		reason, disc string
		words        []string
	}{
		{"a file of random bytes", file("noise", noise), []string{"iso 9660", "nothing was changed"}},
		{"a zip archive", file("archive.zip", zip), []string{"iso 9660"}},
		{"a UDF image", file("udf.img", udf), []string{"iso 9660", "a UDF file system", "mount -t udf", "changed nothing"}},
		{"a directory", l.Mkdir("directory", 0o755), []string{"not a disc"}},
		{"no file", l.Path("missing.iso"), []string{"there is no disc", "--create"}},
		{"a character device", "/dev/null", []string{"not an optical drive"}},
		{"a description that is cut off", damaged, []string{"nothing was changed"}},
	} {
		before, err := os.ReadFile(row.disc)
		expectFailure(l, row.reason, l.Burnfs("mount", "-o", "statedir="+l.State, row.disc, mnt), exitDisc, row.words...)
		if after, _ := os.ReadFile(row.disc); err == nil && !bytes.Equal(before, after) {
			t.Errorf("%s: the file was changed", row.reason)
		}
	}
	iso := l.Disc(harness.PlainISO)
	m := iso.Mount()
	if err := os.WriteFile(m.Path("a"), []byte("a"), 0o644); err != nil {
		t.Fatal(err)
	}
	m.Burn()
	expectFailure(l, "a session that is not there", l.Burnfs(iso.Args(mnt, "session=7")...), exitDisc, "sessions")
}

// TestClosedDisc: a disc that takes no more sessions mounts read only and says why.
func TestClosedDisc(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"cd-r", "dvd+r", "bd-r"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			l := harness.New(t)
			d := l.Disc(media)
			src, image := l.Path("src"), l.Path("image.iso")
			harness.GoSource(l, "archive", src)
			l.MustBurnfs("image", "-quiet", "-R", "-J", "-o", image, src)
			l.MustBurnfs("burn", "--close", d.Path, image)
			r := l.Burnfs(d.Args(l.Mkdir("mnt", 0o755))...)
			if r.Code != 0 || !strings.Contains(strings.ToLower(r.Stderr), "read only") {
				t.Errorf("mounting a closed disc does not say that it is read only:\n%v", r)
			}
			m := l.Attach(d, l.Path("mnt"), startOfTest)
			if st := m.Status(); !st.ReadOnly || !strings.Contains(st.ReadOnlyReason, "closed") && !strings.Contains(st.ReadOnlyReason, "final") {
				t.Errorf("the status says read only %v, because %q", st.ReadOnly, st.ReadOnlyReason)
			}
			if err := os.WriteFile(m.Path("new"), nil, 0o644); !errors.Is(err, syscall.EROFS) {
				t.Errorf("writing to a closed disc: %v, should be %v", err, syscall.EROFS)
			}
			if d := manifest.Diff(withoutRoot(manifest.MustRead(t, src)), withoutRoot(manifest.MustRead(t, m.Point)), chainAspects); d != "" {
				t.Error(d)
			}
			m.Unmount()
			expectFailure(l, "burning onto a closed disc", l.Burnfs("burn", d.Path, image), exitDisc)
		})
	}
}

// TestFullDisc writes until the disc is full. That is told by write(2), and what
// was written before is burned by the unmount, which finds the disc large enough.
func TestFullDisc(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"cd-r", "dvd+r", "bd-r", "bd-re"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			l := harness.New(t)
			rng := harness.Rand(t)
			size := "24MB"
			if media == "cd-r" {
				size = "80MB" // its gaps take 36 MB
			}
			d, model := l.Disc(media, "--size", size), l.Model()
			m := d.Mount()
			model.Both(m, func(root string) { harness.GoSource(l, "container", filepath.Join(root, "first")) })
			model.Compare(m)
			model.Keep()
			m.Burn()

			m = d.Mount()
			fits := m.Status().FitsBytes
			written, full := int64(0), false
			for i := 0; !full; i++ {
				data := harness.Noise(rng, 1+rng.IntN(900_000))
				name := "file" + strconv.Itoa(i)
				switch err := os.WriteFile(m.Path(name), data, 0o644); {
				case err == nil:
					written += int64(len(data))
					if err := os.WriteFile(filepath.Join(model.Dir, name), data, 0o644); err != nil {
						t.Fatal(err)
					}
				case errors.Is(err, syscall.ENOSPC):
					full = true
					// What fitted of the last one stays; that is like any disk.
					if err := os.Remove(m.Path(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
						t.Errorf("nothing can be removed from a full disc: %v", err)
					}
				default:
					t.Fatal(err)
				}
				if written > 90<<20 {
					t.Fatalf("%d bytes were written to a disc of %s", written, size)
				}
			}
			if written < fits/2 {
				t.Errorf("the disc was full after %d bytes; the status said that %d would fit", written, fits)
			}
			model.Compare(m)
			model.Keep()
			m.Burn()
			m = d.Mount("ro")
			model.CompareSession(m, 2)
			m.Unmount()
			judge.Open(l, d.Path).Session(d.Last().Start).Compare(model.Sessions[1], judge.Xorriso)
			compareFirstSession(l, d, model)
		})
	}
}

// TestStagingDirectory: a staging directory that cannot be used is told at once; one
// that fills up is told by write(2), and what was staged before is burned.
func TestStagingDirectory(t *testing.T) {
	t.Parallel()
	t.Run("not writable", func(t *testing.T) {
		l := harness.New(t)
		d := l.Disc("bd-r")
		file := l.Path("a-file")
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		// Root may write to any directory, so these are none it can write to.
		ro := l.Mkdir("read-only", 0o755)
		must(t, unix.Mount("tmpfs", ro, "tmpfs", unix.MS_RDONLY, "size=1m"))
		t.Cleanup(func() { must(t, unix.Unmount(ro, unix.MNT_DETACH)) })
		mnt := l.Mkdir("mnt", 0o755)
		for reason, dir := range map[string]string{"a file": file, "below a file": filepath.Join(file, "x"), "read only": ro, "below proc": "/proc/burnfs"} {
			r := l.Burnfs("mount", "-o", "statedir="+dir, d.Path, mnt)
			expectStagingFailure(l, reason, r)
		}
		m := d.Mount("ro") // without staging nothing stands in the way
		m.Unmount()
	})
	t.Run("of another user", func(t *testing.T) {
		l := harness.New(t)
		disc := l.Path("disc.iso")
		judge.Genisoimage(l, disc, l.Mkdir("empty", 0o755))
		openUp(t, l)
		must(t, os.Chown(disc, nobody, nobody))
		r := asNobody(l, "mount", "-o", "statedir="+l.State, disc, l.Mkdir("mnt", 0o777))
		expectStagingFailure(l, "of another user", r)
	})
	t.Run("full", func(t *testing.T) {
		l := harness.New(t)
		rng := harness.Rand(t)
		d, model := l.Disc("bd-r"), l.Model()
		small := l.Mkdir("small", 0o755)
		must(t, unix.Mount("tmpfs", small, "tmpfs", 0, "size=24m"))
		t.Cleanup(func() { must(t, unix.Unmount(small, unix.MNT_DETACH)) })
		l.State = filepath.Join(small, "state")
		m := d.Mount()
		full := false
		for i := 0; i < 40 && !full; i++ {
			data, name := harness.Noise(rng, 1<<20), "file"+strconv.Itoa(i)
			switch err := os.WriteFile(m.Path(name), data, 0o644); {
			case err == nil:
				must(t, os.WriteFile(filepath.Join(model.Dir, name), data, 0o644))
			case errors.Is(err, syscall.ENOSPC):
				full = true
				must(t, os.Remove(m.Path(name)))
			default:
				t.Fatal(err)
			}
		}
		if !full {
			t.Fatal("40 MB fit into a staging directory of 24 MB")
		}
		model.Compare(m)
		model.Keep()
		m.Burn()
		m = d.Mount()
		model.CompareSession(m, 1)
		// There is room again.
		must(t, os.WriteFile(m.Path("after"), harness.Noise(rng, 1<<20), 0o644))
		m.Burn()
	})
}

func expectStagingFailure(l *harness.Lab, reason string, r harness.Result) {
	l.Helper()
	expectFailure(l, "a staging directory that is "+reason, r, exitStaging, "staging", "statedir")
}

// TestMountPointInTheWay: mount points that do not fit.
func TestMountPointInTheWay(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc("bd-r")
	m := d.Mount()
	staging := m.Status().StagingDir
	m.Unmount()
	inside := filepath.Join(staging, "inside")
	must(t, os.Mkdir(inside, 0o755))
	file := l.Path("a-file")
	must(t, os.WriteFile(file, nil, 0o644))
	expectFailure(l, "a mount point inside the staging directory", l.Burnfs(d.Args(inside)...), exitMount, "inside")
	must(t, os.Remove(inside)) // nothing but what is a store's may stay in one
	expectFailure(l, "a mount point that would hide the disc", l.Burnfs(d.Args(l.Dir)...), exitMount, "hidden")
	expectFailure(l, "a mount point that would hide the staging directory", l.Burnfs(d.Args(l.State)...), exitMount, "hidden")
	expectFailure(l, "a mount point that is a file", l.Burnfs(d.Args(file)...), exitMount, "directory")
	expectFailure(l, "a mount point that does not exist", l.Burnfs(d.Args(l.Path("missing"))...), exitMount)

	m = d.Mount()
	other := l.Adopt("bd-r", l.Path("other.img"))
	l.MustBurnfs("create", "--media", "bd-r", other.Path)
	expectFailure(l, "a mount point in use", l.Burnfs(other.Args(m.Point)...), exitMount, "already")
	expectFailure(l, "the same disc a second time", l.Burnfs(d.Args(l.Mkdir("second", 0o755))...), exitInUse, d.Path)
	expectFailure(l, "the same disc by burn", l.Burnfs("burn", d.Path, d.Path), exitInUse)
	must(t, os.WriteFile(m.Path("still-works"), []byte("yes"), 0o644))

	f, err := os.Open(m.Path("still-works"))
	must(t, err)
	expectFailure(l, "unmounting with a file open", m.TryUnmount(), exitBusy, "in use", strconv.Itoa(os.Getpid()))
	must(t, f.Close())
	m.Burn()
	expectFailure(l, "unmounting what is not mounted", l.Burnfs("umount", m.Point), exitNotMounted, "not mounted")
	expectFailure(l, "the status of what is not mounted", l.Burnfs("status", m.Point), exitNotMounted, "not mounted")
	expectFailure(l, "an unknown option", l.Burnfs(d.Args(m.Point, "sesion=1")...), exitUsage, "sesion")
	expectFailure(l, "an unknown command", l.Burnfs("brun"), exitUsage, "brun")
}

// TestWrongDisc: changes staged for a disc are not burned onto another one, nor
// onto the same one after somebody else has written to it, and are not lost.
func TestWrongDisc(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc(harness.PlainISO)
	m := d.Mount()
	must(t, os.WriteFile(m.Path("first"), []byte("first"), 0o644))
	m.Burn()
	original := l.Path("original.iso")
	harness.Run(l, "cp", "--sparse=always", d.Path, original)

	m = d.Mount()
	f, err := os.Create(m.Path("staged"))
	must(t, err)
	_, err = f.WriteString("staged, not burned")
	must(t, errors.Join(err, f.Sync(), f.Close()))
	m.Kill()
	harness.Run(l, "umount", m.Point)

	// Another disc at the same place does not get these changes.
	harness.Run(l, "rm", d.Path)
	m = d.Mount()
	if names := manifest.MustRead(l, m.Point); len(names) != 1 {
		t.Errorf("another disc shows %v, should be empty", names.Paths())
	}
	if m.Unmount() {
		t.Error("another disc was burned")
	}

	// The same disc, written by somebody else: refused, with the way out.
	harness.Run(l, "cp", "--sparse=always", original, d.Path)
	judge.XorrisoGrow(l, d.Path, l.Mkdir("other", 0o755), "by-another-program")
	grown, err := os.ReadFile(d.Path)
	must(t, err)
	expectFailure(l, "a disc that another program wrote to", l.Burnfs(d.Args(m.Point)...), exitDisc, "another program", "ro")
	now, err := os.ReadFile(d.Path)
	must(t, err)
	if !bytes.Equal(grown, now) {
		t.Error("the disc was changed by a mount that was refused")
	}
	m = d.Mount("ro")
	if _, err := os.Stat(m.Path("by-another-program")); err != nil {
		t.Error(err)
	}
	m.Unmount()

	// The right disc again: the staged file is there and is burned.
	harness.Run(l, "cp", "--sparse=always", original, d.Path)
	m = d.Mount()
	if got, err := os.ReadFile(m.Path("staged")); err != nil || string(got) != "staged, not burned" {
		t.Errorf("the staged file is %q, %v", got, err)
	}
	m.Burn()
}

// TestNoFUSE: without /dev/fuse, and without the permission to use it, the message
// says so.
func TestNoFUSE(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc("bd-r")
	mnt := l.Mkdir("mnt", 0o755)
	args := append([]string{"--mount", "--propagation", "private", "sh", "-euc", `
		mount -t tmpfs no-devices /dev
		mknod -m 666 /dev/null c 1 3
		exec "$@"`, "sh", harness.Binary(t)}, d.Args(mnt)...)
	expectFailure(l, "no /dev/fuse", harness.Try(l, "unshare", args...), exitMount, "/dev/fuse")

	disc := l.Path("disc.iso")
	judge.Genisoimage(l, disc, l.Mkdir("empty", 0o755))
	openUp(t, l)
	must(t, os.Chown(disc, nobody, nobody))
	state := l.Mkdir("state-of-nobody", 0o700)
	must(t, os.Chown(state, nobody, nobody))
	must(t, os.Chmod(mnt, 0o755))
	expectFailure(l, "a mount point of somebody else", asNobody(l, "mount", "-o", "statedir="+state, disc, mnt), exitMount, "permitted")

	secret := l.Path("secret.iso")
	harness.Run(l, "cp", disc, secret)
	must(t, os.Chmod(secret, 0))
	own := l.Mkdir("mnt-of-nobody", 0o755)
	must(t, os.Chown(own, nobody, nobody))
	r := asNobody(l, "mount", "-o", "statedir="+state, secret, own)
	if r.Code == 0 || !strings.Contains(r.Stderr, "permission denied") {
		t.Errorf("a disc that may not be read:\n%v", r)
	}
}

// nobody is the user and group without rights.
const nobody = 65534

// asNobody runs burnfs as an ordinary user.
func asNobody(l *harness.Lab, args ...string) harness.Result {
	l.Helper()
	return harness.Try(l, "setpriv", append([]string{"--reuid", strconv.Itoa(nobody), "--regid", strconv.Itoa(nobody), "--clear-groups",
		"--inh-caps=-all", l.Path("burnfs")}, args...)...)
}

// openUp lets other users into the lab, and gives them a burnfs they can reach.
func openUp(t *testing.T, l *harness.Lab) {
	t.Helper()
	for dir := l.Dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		must(t, os.Chmod(dir, 0o755))
	}
	harness.Run(l, "cp", harness.Binary(t), l.Path("burnfs"))
	must(t, os.Chmod(l.Path("burnfs"), 0o755))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
