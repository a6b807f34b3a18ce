package posix

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// TestIdentity compares all that stat(2) tells of a rich tree before a commit,
// after it, and after mounting again; and once more when a second session has
// changed a part of it.
func TestIdentity(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"bd-r", "bd-re"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			rng := harness.Rand(t)
			d := l.Disc(media)
			m := d.Mount()
			harness.Zoo(l, rng, m.Path("zoo"))
			harness.Crowded(l, rng, m.Path("crowded"))
			harness.Rarities(l, rng, m.Path("rarities"))
			oddTimes(t, m.Path("times"))
			for _, name := range []string{"zoo", "zoo/special/fifo", "zoo/links/a", "crowded/acl", "times/0"} {
				for _, attr := range []string{"trusted.of.root", "security.of.a.module"} {
					if err := unix.Setxattr(m.Path(name), attr, []byte("value of "+attr), 0); err != nil {
						t.Fatal(name, attr, err)
					}
				}
			}
			unchanged := func(what string, before survey) {
				t.Helper()
				if d := changed(before, mustSurvey(l, m.Point)); d != "" {
					t.Fatalf("%s changed:\n%s", what, d)
				}
			}
			remount := func() { t.Helper(); m.Unmount(); m = d.Mount() }

			tree := mustSurvey(l, m.Point)
			l.MustBurnfs("sync", m.Point)
			unchanged("a commit", tree)
			remount()
			unchanged("mounting", tree)

			// A part changes: modes, names, links, contents, times.
			harness.Shell(l, `cd "$1"; chmod g+w zoo/metadata/*; mv zoo/names moved; ln zoo/links/a another; rm zoo/links/b
				echo more >>zoo/sizes/0002049; touch -d 1965-01-01T00:00:00.5Z zoo/special/null; setfattr -n user.new -v 1 zoo/deep
				setfattr -x trusted.of.root zoo; mkdir new; mknod new/device c 7 8`, m.Point)
			tree = mustSurvey(l, m.Point)
			remount()
			unchanged("a second session", tree)
			remount()
			unchanged("mounting again", tree)
			m.Unmount()
			if n := len(d.Sessions()); n != 2 {
				t.Errorf("%d sessions, want 2", n)
			}
		})
	}
}

// oddTimes makes files with times of which each has a fraction of its own.
func oddTimes(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i, at := range []unix.Timespec{{Sec: -86400 * 365 * 60, Nsec: 1}, {Sec: -1, Nsec: 999_999_999}, {}, {Sec: 1, Nsec: 1}, {Sec: 1 << 31, Nsec: 500}, {Sec: 5e9, Nsec: 123_456_789}} {
		p := filepath.Join(dir, string(rune('0'+i)))
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, p, []unix.Timespec{at, {Sec: at.Sec + 7, Nsec: 999_999_999 - at.Nsec}}, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAttributesOfXorriso: attributes and access control lists of a disc that
// xorriso made are there, survive sessions of ours, and xorriso reads what we
// recorded.
func TestAttributesOfXorriso(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	src := tmpfs(t)
	harness.Shell(l, `cd "$1"; mkdir d; echo text >f; echo text >g; setfattr -n user.short -v one f; setfattr -n user.empty f
		setfattr -n user.binary -v 0x00010203ff f; setfattr -n user.long -v "$(head -c 3000 /dev/zero | tr '\0' x)" d
		setfacl -m u:1002:rw,g:2000:r,m::rwx f; setfacl -m d:u:1002:rwx d; setfattr -n user.sess -v 1 g; chmod 750 d`, src)
	disc := l.Path("xorriso.iso")
	harness.Run(l, "xorriso", "-outdev", disc, "-acl", "on", "-xattr", "on", "-map", src, "/", "-commit")
	want := manifest.MustRead(l, src)
	d := l.Adopt(harness.PlainISO, disc)
	m := d.Mount()
	compareXattrs := func(what string) {
		t.Helper()
		if diff := manifest.Diff(withoutTop(want), withoutTop(manifest.MustRead(l, m.Point)), manifest.Xattrs|manifest.Perm|manifest.Owner|manifest.Content); diff != "" {
			t.Errorf("%s:\n%s", what, diff)
		}
	}
	compareXattrs("a disc of xorriso")
	const change = `cd "$1"; setfattr -n user.ours -v two f; setfattr -x user.empty f; setfacl -m u:77:x g; setfacl -x u:1002 f; setfattr -n user.d -v 3 d`
	for _, root := range []string{m.Point, src} {
		harness.Shell(l, change, root)
	}
	want = manifest.MustRead(l, src)
	compareXattrs("changed, before the commit")
	m.Burn()
	m = d.Mount()
	compareXattrs("a session of ours on a disc of xorriso")
	const lists = `cd "$1"; getfacl -n -R . | grep -v '^# file: \.$'`
	if got, want := harness.Shell(l, lists, m.Path("d")), harness.Shell(l, lists, filepath.Join(src, "d")); got != want {
		t.Errorf("getfacl says\n%s\nwant\n%s", got, want)
	}
	m.Unmount()

	// xorriso restores our session.
	out := l.Mkdir("restored", 0o755)
	harness.Run(l, "xorriso", "-acl", "on", "-xattr", "on", "-osirrox", "on", "-indev", disc, "-extract", "/", out)
	got := manifest.MustRead(l, out)
	if diff := manifest.Diff(withoutTop(want), withoutTop(got), manifest.Xattrs|manifest.Perm|manifest.Content); diff != "" {
		t.Errorf("xorriso restores from our session:\n%s", diff)
	}
}

// withoutTop is a tree without its root, which is made by whoever shows it.
func withoutTop(t manifest.Tree) manifest.Tree {
	return t.Select(func(name string, _ *manifest.Entry) bool { return name != "." })
}
