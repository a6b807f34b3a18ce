package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/integration/harness"
	"burnfs/integration/judge"
	"burnfs/integration/manifest"
)

// TestMountHelpers installs burnfs with `make install` and uses the disc with
// mount(8), an fstab line and umount(8), which waits for the burn. The helpers must
// be in /sbin, so all of this happens in a mount namespace with a /sbin of its own.
func TestMountHelpers(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	prefix, sbin := l.Path("prefix"), l.Mkdir("sbin", 0o755)
	harness.Run(l, "make", "-s", "-C", "..", "install", "PREFIX="+prefix, "SBINDIR="+sbin)
	for _, name := range []string{"mount.burnfs", "umount.fuse.burnfs"} {
		if got, err := os.Readlink(filepath.Join(sbin, name)); err != nil || got != filepath.Join(prefix, "bin/burnfs") {
			t.Errorf("%s leads to %q, %v", name, got, err)
		}
	}
	for _, page := range []string{"man1/burnfs.1", "man1/burnfs-mount.1", "man8/mount.burnfs.8", "man8/umount.fuse.burnfs.8"} {
		if _, err := os.Stat(filepath.Join(prefix, "share/man", page)); err != nil {
			t.Error(err)
		}
	}
	d := l.Disc("bd-r")
	src, mnt := l.Path("src"), l.Mkdir("mnt", 0o755)
	harness.GoSource(l, "archive", src)
	fstab := l.Path("fstab")
	must(t, os.WriteFile(fstab, []byte(d.Path+" "+mnt+" burnfs noauto,statedir="+l.State+" 0 0\n"), 0o644))

	// The rest of /sbin stays, by links to where it is bound.
	const ownSbin = `
		sbin=$1 all=$2
		mkdir "$all"
		mount --bind /sbin "$all"
		for f in "$all"/*; do ln -s "$f" "$sbin/${f##*/}" 2>/dev/null || true; done
		mount --bind "$sbin" /sbin
		shift 2
		`
	inNamespace := func(script string, args ...string) harness.Result {
		t.Helper()
		return harness.Try(l, "unshare", append([]string{"--mount", "--propagation", "private", "sh", "-euc", ownSbin + script, "sh",
			sbin, l.Path("all-of-sbin")}, args...)...)
	}
	r := inNamespace(`
		disc=$1 mnt=$2 src=$3 state=$4 fstab=$5 burnfs=$6
		mount -t burnfs -o "statedir=$state" "$disc" "$mnt"
		grep -q " $mnt fuse.burnfs " /proc/mounts
		cp -a "$src" "$mnt/first"
		( cd "$mnt" && if umount "$mnt" 2>/dev/null; then echo 'umount of a busy mount succeeded'; exit 1; fi )
		umount "$mnt"
		"$burnfs" sessions "$disc" | grep -q '^1 ' # it was burned when umount returned

		mount --fstab "$fstab" "$mnt"
		cp -a "$src" "$mnt/second"
		umount "$mnt"
		"$burnfs" sessions "$disc" | grep -q '^2 '

		mount -t burnfs -o "ro,session=1,statedir=$state" "$disc" "$mnt"
		test ! -e "$mnt/second"
		if touch "$mnt/x" 2>/dev/null; then echo 'an older session was written to'; exit 1; fi
		umount "$mnt"

		if mount -t burnfs -o "statedir=$state" "$disc.missing" "$mnt"; then echo 'mounted what is not there'; exit 1; fi
		`, d.Path, mnt, src, l.State, fstab, filepath.Join(prefix, "bin/burnfs"))
	if r.Code != 0 {
		t.Fatalf("%v", r)
	}
	if !strings.Contains(r.Stderr, "there is no disc") {
		t.Errorf("mount(8) of a disc that is not there does not say so:\n%v", r)
	}
	tree := manifest.MustRead(t, src)
	want := manifest.Tree{}
	for name, e := range tree {
		for _, top := range []string{"first", "second"} {
			want[filepath.Join(top, name)] = e
		}
	}
	judge.Open(l, d.Path).Session(d.Last().Start).Compare(want, judge.SevenZip, withoutRootOf(judge.IsoinfoRockRidge))
}

// withoutRootOf is a judge that does not look at the root.
func withoutRootOf(j judge.Judge) judge.Judge {
	read := j.Read
	j.Read = func(v judge.View) manifest.Tree { return withoutRoot(read(v)) }
	return j
}
