package agree

import (
	"context"
	"encoding/gob"
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"burnfs/integration/manifest"
	"burnfs/integration/shelf"
	"burnfs/iso9660"
	"burnfs/iso9660/volume"
	"burnfs/iso9660/zisofs"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/session/blocks"
	"burnfs/session/history"
)

// ShelfEnv names the shelf to be read; without it only the extremes are.
const ShelfEnv = "BURNFS_JUDGE"

// Session is one of a disc.
type Session struct {
	Start uint32
	// Sbsector is what isofs is told to find it.
	Sbsector uint32
	Newest   bool // block 16 of the disc, or its table of sessions, leads here
	Older    bool // there is one before it, whose files it may name
	Direct   bool // block 16 of the disc file shows it
	Ours     bool
	Kind     volume.TreeKind
	Joliet   bool
	Tree     manifest.Tree // by our own reader
	// Recorded is the tree with compressed files as they are recorded, nil if there
	// are none. ZF is the highest version of their entries.
	Recorded manifest.Tree
	ZF       byte
	// Scattered tells that sections of a file are not in order on the disc.
	Scattered bool
	// Linked tells that the names of one file can be told: each has a serial number.
	Linked bool
}

// Discs lists the disc files below a directory: of a test that made discs of many media
// those of three of them, unless all are asked for. Which ones differs from test to
// test, but not from run to run, so that every medium has its turn.
func Discs(dir string, all bool) ([]string, error) {
	list, err := discs(dir)
	if err != nil || all {
		return list, err
	}
	byTest := make(map[string][]string)
	for _, p := range list {
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return nil, err
		}
		test, _, _ := strings.Cut(filepath.Dir(rel), "-")
		byTest[test] = append(byTest[test], p)
	}
	list = nil
	for _, test := range slices.Sorted(maps.Keys(byTest)) {
		made := byTest[test]
		h := fnv.New32a()
		io.WriteString(h, test) // writes to a hash do not fail
		first := int(h.Sum32() % uint32(len(made)))
		for i := range min(ofATest, len(made)) {
			list = append(list, made[(first+i*len(made)/ofATest)%len(made)])
		}
	}
	return list, nil
}

// ofATest is how many discs of a test are judged.
const ofATest = 3

func discs(dir string) (list []string, err error) {
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !slices.Contains([]string{shelf.StateSuffix, shelf.TestSuffix, shelf.AgreedSuffix}, filepath.Ext(p)) {
			list = append(list, p)
		}
		return err
	})
	return list, err
}

// flat reads blocks of a disc file. What lies behind its end is zero, as on a disc.
type flat struct{ *os.File }

// ReadBlocks implements iso9660.BlockReader.
func (f flat) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	n, err := f.ReadAt(p, int64(lba)*iso9660.BlockSize)
	if err == io.EOF {
		clear(p[n:])
		return nil
	}
	return err
}

// Sessions lists those sessions of a disc file that are to be judged, oldest first.
func Sessions(ctx context.Context, file string) (list []Session, err error) {
	log := slog.New(slog.DiscardHandler)
	e, err := emu.Open(file, emu.Options{ReadOnly: true, Log: log})
	if err != nil {
		return nil, err
	}
	drive := mmc.NewDrive(e, log)
	defer func() { err = errors.Join(err, drive.Close()) }()
	info, err := medium.Inspect(ctx, drive)
	if err != nil {
		return nil, err
	}
	all, err := history.List(ctx, info, blocks.New(drive))
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s history.Session) bool { return !s.Readable })
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for i, s := range all {
		if i > 0 && i < len(all)-2 {
			continue
		}
		// One in the middle, if it is cheap.
		if i > 0 && i < len(all)-1 && s.Files > 500 {
			continue
		}
		out := Session{
			Start: s.Start, Sbsector: s.Sbsector(), Newest: i == len(all)-1, Older: i > 0, Ours: s.Mark != nil,
			Direct: s.Start == 0 || i == len(all)-1 && info.Kind == medium.Overwritable,
		}
		if err := out.read(ctx, flat{f}); err != nil {
			return nil, err
		}
		list = append(list, out)
	}
	return list, nil
}

// longest is a path in bytes that no test makes.
const longest = 1 << 20

// tree goes through all entries of a volume by their whole paths, however long: the
// script of long paths makes some that volume.Walk gives from their ends. *failed is
// what ended it.
func tree(ctx context.Context, v *volume.Volume, failed *error) iter.Seq2[string, volume.Entry] {
	return func(yield func(string, volume.Entry) bool) {
		var below func(dir string, of volume.Entry) bool
		below = func(dir string, of volume.Entry) bool {
			for e, err := range v.ReadDir(ctx, of.Directory()) {
				if err != nil {
					*failed = err
					return false
				}
				name := path.Join(dir, e.Name)
				if len(name) > longest {
					*failed = iso9660.ErrLoop
					return false
				}
				if !yield(name, e) || e.IsDir() && e.Directory().Size > 0 && !below(name, e) {
					return false
				}
			}
			return true
		}
		root, err := v.Root(ctx)
		if err != nil {
			*failed = err
			return
		}
		_ = yield(".", root) && below(".", root)
	}
}

// read fills in what is in the session.
func (s *Session) read(ctx context.Context, disc flat) error {
	v, err := volume.Open(ctx, disc, s.Start, volume.Options{})
	if err != nil {
		return err
	}
	s.Kind, s.Linked, s.Tree = v.Tree(), true, make(manifest.Tree)
	_, s.Joliet = v.Joliet()
	inode := make(map[string]uint64)
	packed := make(map[string]*manifest.Entry) // compressed files as they are recorded
	for name, e := range tree(ctx, v, &err) {
		m := &manifest.Entry{
			Kind: manifest.KindOf(e.Mode), Perm: e.Mode & 0o7777, UID: e.UID, GID: e.GID, Nlink: e.Nlink,
			Mtime: e.Mtime, Target: e.Target,
		}
		if e.IsDevice() {
			m.Rdev = unix.Mkdev(e.RdevMajor, e.RdevMinor)
		}
		if e.IsRegular() {
			m.Size = e.Size
			var parts []io.Reader
			for i, x := range e.Sections {
				s.Scattered = s.Scattered || i > 0 && x.LBA < e.Sections[i-1].LBA
				parts = append(parts, io.NewSectionReader(endless{disc}, int64(x.LBA)*iso9660.BlockSize, x.Size))
			}
			if m.SHA256, err = manifest.Hash(io.MultiReader(parts...)); err != nil {
				return err
			}
			if e.Compressed {
				c := *m
				c.Size = e.RecordedSize()
				packed[name] = &c
				s.ZF = max(s.ZF, e.ZF.Version())
				if m.SHA256, err = decode(ctx, disc, e); err != nil {
					return err
				}
			}
		}
		for _, a := range e.Xattrs {
			if m.Xattrs == nil {
				m.Xattrs = make(map[string]string)
			}
			m.Xattrs[a.Name] = string(a.Value)
		}
		s.Tree[name] = m
		if e.HasSerial {
			inode[name] = uint64(e.Serial)
		} else if !e.IsDir() {
			s.Linked = false
		}
	}
	if err != nil {
		return err
	}
	s.Tree.Group(inode)
	if len(packed) == 0 {
		return nil
	}
	s.Recorded = maps.Clone(s.Tree)
	for name, c := range packed {
		c.First, c.Xattrs = s.Tree[name].First, s.Tree[name].Xattrs
		s.Recorded[name] = c
	}
	return nil
}

// decode returns the hash of a compressed file.
func decode(ctx context.Context, disc flat, e volume.Entry) (string, error) {
	z, err := zisofs.NewReader(bytesOf{disc}, e.Sections, *e.ZF)
	if err != nil {
		return "", err
	}
	return manifest.Hash(io.NewSectionReader(withContext{ctx, z}, 0, z.Size()))
}

// bytesOf implements zisofs.Medium.
type bytesOf struct{ flat }

func (b bytesOf) ReadAt(_ context.Context, p []byte, addr int64) error {
	_, err := endless{b.flat}.ReadAt(p, addr)
	return err
}

// withContext implements io.ReaderAt, within what there is to read.
type withContext struct {
	ctx context.Context
	z   *zisofs.Reader
}

func (w withContext) ReadAt(p []byte, off int64) (int, error) {
	if err := w.z.ReadAt(w.ctx, p, off); err != nil {
		return 0, err
	}
	return len(p), nil
}

// endless reads zeros behind the end.
type endless struct{ f flat }

func (e endless) ReadAt(p []byte, off int64) (int, error) {
	n, err := e.f.ReadAt(p, off)
	if err == io.EOF {
		clear(p[n:])
		return len(p), nil
	}
	return n, err
}

// Record notes what was agreed on of a disc, for those who cannot ask the judges.
func Record(file string, list []Session) (err error) {
	f, err := os.Create(file + shelf.AgreedSuffix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return gob.NewEncoder(f).Encode(list)
}

// Recorded returns what Record noted; the error wraps fs.ErrNotExist if there is
// nothing.
func Recorded(file string) (list []Session, err error) {
	f, err := os.Open(file + shelf.AgreedSuffix)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return list, gob.NewDecoder(f).Decode(&list)
}
