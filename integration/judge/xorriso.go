package judge

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// Xorriso extracts the session as a back-up: with owners, times, attributes,
// access control lists and hard links.
var Xorriso = Judge{
	Name:    "xorriso",
	Aspects: manifest.Everything&^manifest.Mtime | manifest.MtimeSeconds,
	Expect: func(want, _ manifest.Tree) manifest.Tree {
		// xorriso extracts no sockets.
		want = want.Select(func(_ string, e *manifest.Entry) bool { return e.Kind != manifest.Socket })
		return change(want, func(name string, e *manifest.Entry) {
			// libisofs reads an empty component as nothing.
			e.Target = strings.ReplaceAll(e.Target, "//", "/")
			forgetLinkMetadata(e)
		})
	},
	Read: func(v View) manifest.Tree {
		v.Helper()
		dir, err := os.MkdirTemp(v.TempDir(), "xorriso")
		if err != nil {
			v.Fatal(err)
		}
		out := filepath.Join(dir, "tree")
		harness.Run(v, "xorriso", v.xorriso("-for_backup", "-osirrox", "device_files", "-extract", "/", out)...)
		tree := manifest.MustRead(v, out)
		for _, e := range tree {
			forgetLinkMetadata(e)
		}
		if err := os.RemoveAll(dir); err != nil {
			v.Fatal(err)
		}
		return tree
	},
}

// forgetLinkMetadata drops what xorriso does not restore of symbolic links: they
// get the owner and the time of the extraction.
func forgetLinkMetadata(e *manifest.Entry) {
	if e.Kind == manifest.Symlink {
		e.Mtime, e.UID, e.GID = time.Time{}, 0, 0
	}
}

// xorriso returns arguments that load the session: settings and actions around
// -indev.
func (v View) xorriso(args ...string) []string {
	load := []string{"-abort_on", "WARNING", "-return_with", "WARNING", "32"}
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

// CheckChecksums lets xorriso compare all files of the session, the old ones
// included, with the MD5 sums that the session records, and read its blocks.
// Blocks is the size of the session.
func (v View) CheckChecksums(blocks uint32) {
	v.Helper()
	harness.Run(v, "xorriso", v.xorriso("-md5", "on", "-check_md5_r", "SORRY", "/", "--")...)
	if v.firstIsBlank() {
		return
	}
	r := harness.Try(v, "xorriso", v.xorriso("-md5", "on", "-check_media", "use=indev", "what=disc", "map_with_volid=off",
		"min_lba="+strconv.FormatUint(uint64(v.Start), 10), "max_lba="+strconv.FormatUint(uint64(v.Start+blocks-1), 10), "--")...)
	if r.Code != 0 || strings.Contains(r.Stdout, "mismatch") || strings.Contains(r.Stdout, " - ") {
		v.Errorf("xorriso finds the session at block %d of %s damaged:\n%v", v.Start, v.File, r)
	}
	if !strings.Contains(r.Stdout, "md5_match") {
		v.Errorf("xorriso finds no checksum tag in the session at block %d of %s:\n%v", v.Start, v.File, r)
	}
}
