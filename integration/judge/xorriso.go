package judge

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// Xorriso extracts the session as a back-up: with owners, times, attributes,
// access control lists and hard links. It checks the checksum tags of the tree.
var Xorriso = XorrisoWith(true, true)

// XorrisoUnchecked does the same without the tags. Growisofs leaves those of the
// session before it where it writes its own volume descriptors.
var XorrisoUnchecked = XorrisoWith(false, true)

// XorrisoWith is xorriso with or without the checksum tags, and with or without
// attributes and access control lists, which not every file system takes that is
// extracted to.
func XorrisoWith(tags, attributes bool) Judge {
	name, md5 := "xorriso", "on"
	if !tags {
		name, md5 = name+" -md5 load_check_off", "load_check_off"
	}
	if !attributes {
		name += " -xattr off"
	}
	j := Judge{
		Name:    name,
		Aspects: manifest.Everything&^manifest.Mtime | manifest.MtimeSeconds,
		Cannot: func(want manifest.Tree) string {
			for name, e := range want {
				if len(name) > 3500 {
					return "paths of this length are too long where it extracts to"
				}
				if !smallDevice(e.Rdev) {
					return "it misreads device numbers beyond 8 bits, and stops where the kernel has no such device"
				}
			}
			return cannotLongTargets("libisofs refuses to load an image with")(want)
		},
		Expect: func(want, got manifest.Tree) manifest.Tree {
			// xorriso extracts no sockets.
			want = want.Select(func(_ string, e *manifest.Entry) bool { return e.Kind != manifest.Socket })
			return change(want, func(name string, e *manifest.Entry) {
				// libisofs reads an empty component as nothing.
				e.Target = strings.ReplaceAll(e.Target, "//", "/")
				forgetLinkMetadata(e)
				forgetDirectoryMask(e, got[name])
				if g := got[name]; g != nil && e.Kind == manifest.Dir {
					e.Nlink = g.Nlink // counted by the file system that it extracts to
				}
			})
		},
		Read: func(v View) manifest.Tree { v.Helper(); return v.extract(md5, attributes) },
	}
	if !attributes {
		// With a list, the bits of the group are those of its mask.
		j.Aspects &^= manifest.Xattrs | manifest.Perm
	}
	return j
}

func (v View) extract(md5 string, attributes bool) manifest.Tree {
	v.Helper()
	dir, err := os.MkdirTemp(v.TempDir(), "xorriso")
	if err != nil {
		v.Fatal(err)
	}
	out := filepath.Join(dir, "tree")
	settings := []string{"-for_backup", "-md5", md5, "-osirrox", "device_files"}
	if !attributes {
		settings = append(settings, "-xattr", "off", "-acl", "off")
	}
	v.runXorriso(v.xorriso(append(settings, "-extract", "/", out)...)...)
	tree := manifest.MustRead(v, out)
	for _, e := range tree {
		forgetLinkMetadata(e)
	}
	if err := os.RemoveAll(dir); err != nil {
		v.Fatal(err)
	}
	return tree
}

// forgetLinkMetadata drops what xorriso does not restore of symbolic links: they
// get the owner and the time of the extraction.
func forgetLinkMetadata(e *manifest.Entry) {
	if e.Kind == manifest.Symlink {
		e.Mtime, e.UID, e.GID = time.Time{}, 0, 0
	}
}

// forgetDirectoryMask takes over the mask of a directory's access list: xorriso
// 1.5.4 restores the list and then, when the directory is filled, its permission
// bits, with those of the owning group for the group, which are the mask then.
func forgetDirectoryMask(e, got *manifest.Entry) {
	const list = "system.posix_acl_access"
	if e.Kind != manifest.Dir || e.Xattrs[list] == "" || got == nil || got.Xattrs[list] == "" {
		return
	}
	e.Perm = e.Perm&^0o070 | got.Perm&0o070
	e.Xattrs = maps.Clone(e.Xattrs)
	e.Xattrs[list] = maskOf(e.Xattrs[list], got.Xattrs[list])
}

// maskOf returns an access list with the mask of another. A list is a version and
// entries of tag, permissions and id (include/uapi/linux/posix_acl_xattr.h).
func maskOf(list, other string) string {
	const header, size, mask = 4, 8, "\x10\x00"
	b := []byte(list)
	for at := header; at+size <= min(len(list), len(other)); at += size {
		if list[at:at+2] == mask && other[at:at+2] == mask {
			copy(b[at+2:at+4], other[at+2:at+4])
		}
	}
	return string(b)
}

var sizeWarning = regexp.MustCompile(`ISO image size \d+s larger than readable size|Chain of ISO session headers broken`)

// bootWarning is of boot images that no file shows: how long such a one is, nothing on
// a disc says.
const bootWarning = "Found hidden El-Torito image. Its size could not be figured out"

// strict makes xorriso stop at what it is sorry for.
var strict = []string{"-abort_on", "SORRY", "-return_with", "SORRY", "32"}

// runXorriso runs xorriso, which must succeed, and returns its output. It must warn
// of nothing but hidden boot images, and the sizes on an overwritable disc:
// libisoburn expects a session there to record how long it is and to be followed by
// the next one. Burnfs records where it ends, because Linux rejects continuation
// areas beyond that block. The session that is asked for is read all the same.
func (d *Disc) runXorriso(args ...string) string {
	d.Helper()
	r := harness.Try(d, "xorriso", args...)
	if r.Code != 0 {
		d.Fatalf("%v", r)
	}
	for line := range strings.Lines(r.Stderr) {
		if strings.Contains(line, "WARNING : ") && !sizeWarning.MatchString(line) && !strings.Contains(line, bootWarning) {
			d.Errorf("%s warns: %s", r.Command, line)
		}
	}
	return r.Stdout + r.Stderr
}

// xorriso returns arguments that load the session: settings and actions around
// -indev.
func (v View) xorriso(args ...string) []string {
	load := slices.Clone(strict)
	settings := 0
	for _, a := range args {
		if a == "-extract" || strings.HasPrefix(a, "-check") || a == "-find" || a == "-toc" {
			break
		}
		settings++
	}
	load = append(load, args[:settings]...)
	file := v.File
	switch {
	case v.Direct:
	case v.firstIsBlank():
		// libisoburn takes a file for a blank medium when its block 16 holds
		// nothing, as on a CD that begins with audio.
		file = v.Plain()
	default:
		load = append(load, "-load", "sbsector", strconv.FormatUint(uint64(v.Start), 10))
	}
	return append(append(load, "-indev", "stdio:"+file), args[settings:]...)
}

func (d *Disc) firstIsBlank() bool {
	f, err := os.Open(d.File)
	if err != nil {
		d.Fatal(err)
	}
	defer f.Close()
	id := make([]byte, 5)
	// A short file has no descriptor either.
	_, _ = f.ReadAt(id, 16*blockSize+1)
	return string(id) != "CD001"
}

// CheckFiles lets xorriso compare all files of the session, those of older
// sessions included, with the MD5 sums that the session records for them.
func (v View) CheckFiles() {
	v.Helper()
	out := v.runXorriso(v.xorriso("-md5", "on", "-check_md5_r", "SORRY", "/", "--")...)
	if !strings.Contains(out, "File contents and their MD5 checksums match.") {
		v.Errorf("xorriso finds no MD5 sums of files in the session at block %d of %s:\n%s", v.Start, v.File, out)
	}
}

// tag is a row of -check_media: a range of blocks and how its checksum tag fares.
var tag = regexp.MustCompile(`(?m)^MD5 tag range: +(\d+) , +\d+ , (.*)$`)

// CheckMedia runs `xorriso -check_media` on the disc. The checksum tags of the
// sessions that start at the given blocks must be found and match.
//
// On a write-once medium that is the first session only: xorriso 1.5.4 does not
// look for tags behind a gap between sessions (and crashes when it meets one
// there), so all other blocks are read without them.
func (d *Disc) CheckMedia(writeOnce bool, starts ...uint32) {
	d.Helper()
	if d.firstIsBlank() {
		return
	}
	run := func(md5, what string) string {
		return d.runXorriso(append(slices.Clone(strict),
			"-md5", md5, "-indev", "stdio:"+d.File, "-check_media", "use=indev", "what="+what, "--")...)
	}
	if writeOnce {
		d.checkTags(run("off", "disc")+run("on", "image"), starts)
		return
	}
	d.checkTags(run("on", "disc"), starts)
	// Session by session, as xorriso finds them: it has to find each where it is.
	d.checkTags(d.runXorriso(append(slices.Clone(strict), "-md5", "on", "-indev", "stdio:"+d.File, "-check_media", "--")...), starts)
}

// checkTags demands of what -check_media said that tags of sessions that start at
// the given blocks are among those found, and that all match.
func (d *Disc) checkTags(out string, starts []uint32) {
	d.Helper()
	found := make(map[string]string)
	for _, m := range tag.FindAllStringSubmatch(out, -1) {
		found[m[1]] = m[2]
		if m[2] != "+ md5_match" {
			d.Errorf("xorriso finds %s damaged at block %s:\n%s", d.File, m[1], out)
		}
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "Media region") && strings.Contains(line, ", - ") {
			d.Errorf("xorriso cannot read %s: %s", d.File, line)
		}
	}
	for _, start := range starts {
		if found[strconv.FormatUint(uint64(start), 10)] == "" {
			d.Errorf("xorriso finds no checksum tag of the session at block %d of %s:\n%s", start, d.File, out)
		}
	}
}
