package judge

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"burnfs/integration/manifest"
)

// Bsdtar turns the session into a tar stream, which is read here.
//
// libarchive 3.6.2 fails with `Invalid
// parameter in SUSP "CE" extension` on any regular file whose continuation area
// lies behind its data (register_CE in archive_read_support_format_iso9660.c).
// That is so for each old file with such an area in a later session, whoever made
// it. It cannot judge such sessions. Nor can it judge later sessions of genisoimage
// and xorriso: it takes all extents beyond the volume space size for broken, and
// they record the size of the session there instead of its end.
//
// It reads a disc from its beginning to its end. Of a file with a section that lies before
// the one in front of it, it gives what comes first, says `Ignoring out-of-order file`, and
// fails; or nothing, and says `File is beyond end-of-media`.
var Bsdtar = Judge{
	Name:    "bsdtar",
	Aspects: manifest.Size | manifest.Content | manifest.Perm | manifest.Owner | manifest.MtimeSeconds | manifest.Names | manifest.Target | manifest.Device,
	Cannot: func(want manifest.Tree) string {
		for name := range want {
			if strings.Count(name, "/") > 14 {
				return "it loses its way where directories are relocated more than once"
			}
		}
		return ""
	},
	Expect: func(want, got manifest.Tree) manifest.Tree {
		// A tar stream has no sockets.
		want = want.Select(func(_ string, e *manifest.Entry) bool { return e.Kind != manifest.Socket })
		// libarchive puts a relocated directory back if it has seen the place
		// before the contents. It goes by addresses, and in a later session the
		// contents may lie before all directories.
		want = movedTree(want, got)
		return change(want, func(name string, e *manifest.Entry) {
			g := got[name]
			if g == nil {
				return
			}
			// libarchive tells a hard link when it meets the names of an inode
			// one after the other, in the order of addresses; other data may lie
			// between, and empty files have no address. So it may miss a link,
			// but must not invent one.
			if first := want[g.First]; g.First == name || first != nil && first.First == e.First {
				e.First = g.First
			}
			if !smallDevice(e.Rdev) {
				e.Rdev = g.Rdev // archive_read_support_format_iso9660.c puts the halves together otherwise
			}
			// libarchive forgets the slash where a target goes on in another SL
			// entry (RRIP 4.1.3.1), as one does that a directory record is too
			// short for.
			if len(e.Target) > recordRoom && noSlashes(e.Target) == noSlashes(g.Target) {
				e.Target = g.Target
			}
		})
	},
	Read: func(v View) manifest.Tree {
		v.Helper()
		// Options as bsdtar's manual has them; names of other character sets
		// stay the bytes they are.
		cmd := exec.Command("bsdtar", "--options", "hdrcharset=BINARY", "--format=pax", "-cf", "-", "@"+v.Plain())
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
		pipe, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			v.Fatalf("bsdtar (apt-get install libarchive-tools): %v", err)
		}
		tree, err := readTar(pipe)
		if err == nil {
			_, err = io.Copy(io.Discard, pipe)
		}
		if err := errors.Join(err, cmd.Wait()); err != nil {
			if v.Older && strings.Contains(complaints.String(), "Invalid parameter in SUSP \"CE\" extension") ||
				v.Foreign && (v.Older || v.Start > 0) && strings.Contains(complaints.String(), "Invalid location of extent of file") {
				return nil
			}
			v.Errorf("bsdtar reads %s with: %v\n%s", v.File, err, complaints.String())
		}
		if len(tree) == 0 && v.Foreign && v.Start > 0 {
			return nil // the root lies beyond that size, too
		}
		for line := range strings.Lines(complaints.String()) {
			if !strings.Contains(line, "cannot archive sockets") {
				v.Errorf("bsdtar: %s", line)
			}
		}
		return tree
	},
}

func noSlashes(s string) string { return strings.ReplaceAll(s, "/", "") }

var tarKinds = map[byte]manifest.Kind{
	tar.TypeReg: manifest.File, tar.TypeLink: manifest.File, tar.TypeDir: manifest.Dir, tar.TypeSymlink: manifest.Symlink,
	tar.TypeChar: manifest.Char, tar.TypeBlock: manifest.Block, tar.TypeFifo: manifest.Fifo,
}

func readTar(r io.Reader) (manifest.Tree, error) {
	tree := make(manifest.Tree)
	group := make(map[string]uint64)
	for tr, n := tar.NewReader(r), uint64(0); ; n++ {
		h, err := tr.Next()
		if err == io.EOF {
			tree.Group(group)
			return tree, nil
		}
		if err != nil {
			return tree, err
		}
		name := path.Clean(h.Name)
		if tree[name] != nil {
			// Directories of one name that were relocated from several places.
			name = path.Join(path.Dir(name), fmt.Sprintf("#%d", n), path.Base(name))
		}
		e := &manifest.Entry{
			Kind: tarKinds[h.Typeflag], Perm: uint32(h.Mode) & 0o7777, UID: uint32(h.Uid), GID: uint32(h.Gid), Mtime: h.ModTime,
		}
		group[name] = n
		switch h.Typeflag {
		case tar.TypeReg:
			e.Size = h.Size
			if e.SHA256, err = manifest.Hash(tr); err != nil {
				return tree, err
			}
		case tar.TypeLink:
			first := path.Clean(h.Linkname)
			group[name] = group[first]
			if f := tree[first]; f != nil {
				e.Kind, e.Size, e.SHA256, e.Rdev = f.Kind, f.Size, f.SHA256, f.Rdev
			}
		case tar.TypeSymlink:
			e.Target = h.Linkname
		case tar.TypeChar, tar.TypeBlock:
			e.Rdev = unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor))
		}
		tree[name] = e
	}
}
