package commit

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/fxamacker/cbor/v2"
	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/iso9660/image"
	"burnfs/iso9660/image/bootable"
	"burnfs/session/extent"
	"burnfs/session/mark"
	"burnfs/session/tree"
)

// Plan is a session that is ready to be burned. It is plain data, to be
// journaled; the directory with its files belongs to it.
type Plan struct {
	Header image.Header `json:"header"`
	Seq    uint64       `json:"seq"` // change number of the frozen tree
	Mark   mark.Mark    `json:"mark"`
	// Overwritable says that the descriptors at the beginning of the medium
	// are written after the session.
	Overwritable bool `json:"overwritable"`
	// InPlace says that only the descriptors at block 16 may be replaced: an
	// image began at block 0.
	InPlace bool `json:"inPlace,omitempty"`
	// SaveHead is where the descriptors at block 16 of somebody else's
	// session are copied before they are overwritten; 0 for nowhere.
	SaveHead uint32    `json:"saveHead,omitempty"`
	VolumeID string    `json:"volumeId"`
	Time     time.Time `json:"time"`
	// TreeHash is the SHA-256 of tree.img.
	TreeHash string `json:"treeHash"`
	// Boot says what the session changes about what the disc boots.
	Boot []string `json:"boot,omitempty"`
	// Lost says which extended attributes of others' sessions found no room.
	Lost []string `json:"lost,omitempty"`
	// NewBytes is the number of bytes of file data in the session.
	NewBytes int64 `json:"newBytes"`

	tail bool // this process has burned it, and kept its tail
	// NewFiles is the number of files that have some of them.
	NewFiles int64 `json:"newFiles,omitempty"`
	// Reused is what was written and need not be recorded: its content is on the disc,
	// or comes to it with another file.
	Reused Amount `json:"reused,omitzero"`
}

// Start is the first block of the session.
func (p *Plan) Start() uint32 { return p.Header.Start }

// Blocks is the session's length.
func (p *Plan) Blocks() uint32 { return p.Header.Blocks }

// Options says what to plan.
type Options struct {
	Start        uint32
	Mark         mark.Mark // Start, NextIno and the counts are filled in
	Overwritable bool
	InPlace      bool
	SaveHead     uint32
	VolumeID     string
	Now          time.Time
	Joliet       bool
	Align        uint32 // see image.Options
	Checksums    Checksums
	Dedupe       bool            // content that is on the disc, or twice in the session, is referred to
	Known        *Known          // for that; nil for nothing on the disc
	Boot         *bootable.Setup // what the base is booted with; nil for nothing
	Visit        func()          // is called before each directory is read, if it is set
	Warn         func(path, what string)

	scratch image.Scratch // nil for none
}

// maxLost is how many files Plan.Lost names.
const maxLost = 20

// Names of a plan's files.
const (
	treeName  = "tree.img"
	filesName = "files"
	dirsName  = "dirs"
	carryName = "carry"
	tailName  = "tail"
	indexName = "index"
)

// file is a regular file in the list of a plan.
type file struct {
	Ino      uint64            `cbor:"1,keyasint"`
	Index    uint32            `cbor:"2,keyasint,omitempty"`
	Size     int64             `cbor:"3,keyasint"`
	OldMD5   []byte            `cbor:"4,keyasint,omitempty"`
	New      []iso9660.Section `cbor:"5,keyasint,omitempty"`
	Sections []iso9660.Section `cbor:"6,keyasint,omitempty"` // all, when some are new
	Bytes    []span            `cbor:"7,keyasint,omitempty"` // the new bytes, in order
	Path     []byte            `cbor:"8,keyasint,omitempty"` // any bytes, so it is no text
	Offsets  []int64           `cbor:"9,keyasint,omitempty"`
	Same     []move            `cbor:"14,keyasint,omitempty"` // staged bytes that old sections have
	Patch    *patch            `cbor:"10,keyasint,omitempty"`
	OldSHA   []byte            `cbor:"11,keyasint,omitempty"`
	// Elsewhere says that Bytes are not recorded: Sections have them already.
	Elsewhere bool `cbor:"12,keyasint,omitempty"`
}

// patch is an eltorito.Patch.
type patch struct {
	_         struct{} `cbor:",toarray"`
	InfoTable bool
	PVD       uint32
	Grub      bool
}

// span is where a run of new bytes is.
type span struct {
	_    struct{} `cbor:",toarray"`
	From spanKind
	Addr int64 // in the staging log or in carry
	Len  int64
}

// move is a tree.Move.
type move struct {
	_             struct{} `cbor:",toarray"`
	From, Len, To int64
}

type spanKind uint8

const (
	fromZeros spanKind = iota
	fromStaging
	fromCarry
)

type dir struct {
	_   struct{} `cbor:",toarray"`
	Ino uint64
	LBA uint32
	Len int64
}

// Make plans the session of a frozen tree and leaves the plan's files in
// where, durable. Of the disc, directories are read, of changed files the parts that
// have to be written again, and what refinery looks at.
func Make(ctx context.Context, frozen *tree.Frozen, where string, opt Options) (*Plan, error) {
	if err := os.RemoveAll(where); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(where, 0o700); err != nil {
		return nil, err
	}
	if f, err := newScratch(where); err == nil {
		defer f.remove()
		opt.scratch = f
	}
	l, err := lay(ctx, frozen, opt, false)
	if err != nil {
		return nil, err
	}
	layout := l.Layout
	p := &Plan{
		Lost: l.lost, Header: layout.Header(), Seq: frozen.Seq, Mark: opt.Mark, Overwritable: opt.Overwritable,
		InPlace: opt.InPlace, SaveHead: opt.SaveHead, VolumeID: opt.VolumeID, Time: opt.Now,
	}
	for _, c := range l.changes {
		p.Boot = append(p.Boot, c.String())
	}
	p.Mark.Start = opt.Start
	p.Mark.NextIno = frozen.NextIno
	p.Mark.Files, p.Mark.Dirs = int64(layout.FileCount()), int64(layout.DirCount())
	p.Mark.Tree = int64(layout.TreeBlocks())
	if layout.Sbsector() != opt.Start {
		p.Mark.Sbsector = layout.Sbsector()
	}
	use, err := p.Mark.Encode()
	if err != nil {
		return nil, err
	}
	layout.SetApplicationUse(use)

	sum := sha256.New()
	if err := create(where, treeName, func(w io.Writer) error {
		return layout.WriteTree(ctx, io.MultiWriter(w, sum))
	}); err != nil {
		return nil, err
	}
	p.TreeHash = hex.EncodeToString(sum.Sum(nil))
	if err := create(where, dirsName, func(w io.Writer) error {
		enc := cbor.NewEncoder(w)
		for d, err := range layout.Directories(ctx) {
			if err != nil {
				return err
			}
			if err := enc.Encode(dir{Ino: d.ID, LBA: d.Extent.LBA, Len: d.Extent.Size}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if err := p.listFiles(ctx, frozen, l, where); err != nil {
		return nil, err
	}
	return p, errors.Join(syncDir(where), syncDir(filepath.Dir(where)))
}

// laid is a session of which every address is fixed.
type laid struct {
	*image.Layout
	lost    []string // as in Plan
	changes []bootable.Change
	reuse   *reuse
}

// lay fixes the addresses of the session of a frozen tree. Nothing is written. If it is
// dry, checksums that would have to be taken are not.
func lay(ctx context.Context, frozen *tree.Frozen, opt Options, dry bool) (*laid, error) {
	if opt.Visit == nil {
		opt.Visit = func() {}
	}
	var lost []string
	unnamed := 0
	iopt := image.Options{
		Start: opt.Start, RockRidge: true, Joliet: opt.Joliet, Checksums: true, SHA256: true,
		VolumeID: opt.VolumeID, SystemID: "LINUX", Preparer: "BURNFS", Application: "BURNFS",
		ApplicationUse: make([]byte, mark.Size), Now: opt.Now,
		OwnSize: opt.Overwritable && !opt.InPlace,
		Align:   opt.Align, Warn: opt.Warn, Scratch: opt.scratch,
		Lost: func(path, what string) {
			if len(lost) == maxLost {
				unnamed++
				return
			}
			lost = append(lost, fmt.Sprintf("%s: %s", path, what))
		},
	}
	src := source{frozen: frozen, sums: opt.Checksums, visit: opt.Visit, anew: map[uint64]bool{}, start: cmp.Or(opt.SaveHead, opt.Start), head: opt.head(), refinery: &refinery{known: map[uint64]*refined{}, left: digestible, dry: dry}}
	if opt.Dedupe {
		reuse, err := findSame(ctx, frozen, &src, &opt)
		if err != nil {
			return nil, err
		}
		src.reuse = reuse
	}
	changes, err := opt.Boot.Continue(ctx, src, &iopt, func(ino uint64) { src.anew[ino] = true })
	if err != nil {
		return nil, err
	}
	for _, b := range iopt.BootImages {
		if b.Patch.Needed() {
			src.anew[b.ID] = true // no other file has those bytes
		}
	}
	layout, err := image.Plan(ctx, src, iopt)
	if err != nil {
		return nil, err
	}
	if unnamed > 0 {
		lost = append(lost, fmt.Sprintf("and %d more files", unnamed))
	}
	return &laid{layout, lost, changes, src.reuse}, nil
}

// listFiles writes the list of files and the bytes to carry over.
func (p *Plan) listFiles(ctx context.Context, frozen *tree.Frozen, l *laid, where string) error {
	return create(where, carryName, func(carry io.Writer) error {
		c := &carrier{w: carry}
		return create(where, filesName, func(w io.Writer) error {
			enc := cbor.NewEncoder(w)
			for f, err := range l.Layout.Files(ctx) {
				if err != nil {
					return err
				}
				e, _ := f.Handle.(tree.Entry) // of files with content that is not the base's
				rec := file{Ino: f.ID, Index: f.Index, Size: f.Size, New: f.New, Offsets: f.NewOffsets, Path: []byte(f.Path)}
				if f.Patch.Needed() {
					rec.Patch = &patch{InfoTable: f.Patch.InfoTable, PVD: f.Patch.PVD, Grub: f.Patch.Grub}
				}
				if f.OldMD5 != nil {
					rec.OldMD5 = f.OldMD5[:]
				}
				if f.OldSHA256 != nil {
					rec.OldSHA = f.OldSHA256[:]
				}
				if at := l.reuse.elsewhere(&f); at != nil {
					rec.Sections, rec.Elsewhere = at, true
					rec.Bytes, err = c.spans(ctx, frozen, e, image.File{New: []iso9660.Section{{Size: f.Size}}, NewOffsets: []int64{0}})
					if err != nil {
						return fmt.Errorf("%s: %w", f.Path, err)
					}
					p.Reused.add(f.Size)
				} else if len(f.New) > 0 || e.Content != nil {
					rec.Sections = allSections(e.Pieces, f.New)
				}
				for _, m := range moves(&e) {
					rec.Same = append(rec.Same, move{From: m.From, Len: m.Len, To: m.To})
				}
				if len(f.New) > 0 {
					if rec.Bytes, err = c.spans(ctx, frozen, e, f); err != nil {
						return fmt.Errorf("%s: %w", f.Path, err)
					}
					p.NewBytes += f.NewSize()
					p.NewFiles++
				}
				if err := enc.Encode(rec); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// allSections puts the sections of new pieces between the old ones.
func allSections(pieces []tree.Piece, added []iso9660.Section) []iso9660.Section {
	var all []iso9660.Section
	for _, p := range pieces {
		if p.Old {
			all = append(all, iso9660.Section{LBA: p.LBA, Size: p.Size})
			continue
		}
		for left := p.Size; left > 0 && len(added) > 0; added = added[1:] {
			all = append(all, added[0])
			left -= added[0].Size
		}
	}
	return all
}

// carrier copies bytes of older sessions that have to be written again: the
// disc cannot be read while it is burned.
type carrier struct {
	w   io.Writer
	end int64
}

func (c *carrier) spans(ctx context.Context, frozen *tree.Frozen, e tree.Entry, f image.File) ([]span, error) {
	var all []span
	for i, s := range f.New {
		for x := range e.Content.Range(f.NewOffsets[i], s.Size) {
			switch x.Kind {
			case extent.Hole:
				all = append(all, span{From: fromZeros, Len: x.Len})
			case extent.Staged:
				all = append(all, span{From: fromStaging, Addr: x.Addr, Len: x.Len})
			case extent.OnDisc, extent.Packed:
				n, err := io.Copy(c.w, frozen.Reader(ctx, e, x.Off, x.Len))
				if err != nil {
					return nil, err
				}
				all = append(all, span{From: fromCarry, Addr: c.end, Len: n})
				c.end += n
			}
		}
	}
	return all, nil
}

// create writes a file of the plan and makes it durable.
func create(where, name string, fill func(io.Writer) error) (err error) {
	f, err := os.OpenFile(filepath.Join(where, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return unix.Fdatasync(int(f.Fd()))
}

func syncDir(where string) error {
	d, err := os.Open(where)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sequence reads a CBOR sequence of the plan.
func sequence[T any](where, name string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		f, err := os.Open(filepath.Join(where, name))
		if err != nil {
			yield(zero, err)
			return
		}
		defer f.Close()
		dec := cbor.NewDecoder(bufio.NewReaderSize(f, 1<<18))
		for {
			var v T
			err := dec.Decode(&v)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// StagedRanges yields the ranges of the staging log that the plan in where
// needs.
func StagedRanges(where string) iter.Seq2[extent.Extent, error] {
	return func(yield func(extent.Extent, error) bool) {
		for f, err := range sequence[file](where, filesName) {
			if err != nil {
				yield(extent.Extent{}, err)
				return
			}
			for _, s := range f.Bytes {
				if s.From == fromStaging && !yield(extent.Extent{Len: s.Len, Kind: extent.Staged, Addr: s.Addr}, nil) {
					return
				}
			}
		}
	}
}

// Publication returns what tree.Publish needs of the plan, besides the base
// and the space.
func (p *Plan) Publication(where string) tree.Publication {
	return tree.Publication{
		Seq: p.Seq,
		Directories: func(yield func(tree.PublishedDir, error) bool) {
			for d, err := range whole[dir](where, dirsName, p.Mark.Dirs) {
				at := tree.PublishedDir{Ino: d.Ino, Extent: iso9660.Section{LBA: d.LBA, Size: d.Len}}
				if !yield(at, err) || err != nil {
					return
				}
			}
		},
		Files: func(yield func(tree.PublishedFile, error) bool) {
			for f, err := range whole[file](where, filesName, p.Mark.Files) {
				if !yield(f.published(), err) || err != nil {
					return
				}
			}
		},
	}
}

// whole reads a CBOR sequence that has to have n elements.
func whole[T any](where, name string, n int64) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range sequence[T](where, name) {
			if !yield(v, err) || err != nil {
				return
			}
			n--
		}
		if n != 0 {
			var zero T
			yield(zero, fmt.Errorf("the plan's list %s is damaged: the number of its elements is not that of the session", name))
		}
	}
}

func (f *file) published() tree.PublishedFile {
	p := tree.PublishedFile{Ino: f.Ino, Sections: f.Sections, Checksum: f.Index}
	for _, m := range f.Same {
		p.Moved = append(p.Moved, tree.Move{From: m.From, Len: m.Len, To: m.To})
	}
	// The new bytes lie in the new sections in order; sections end in whole
	// blocks but the last of a piece, after which the next begins a block.
	lies := f.New
	if f.Elsewhere {
		lies = f.Sections
	}
	section, at := 0, int64(0)
	for _, s := range f.Bytes {
		for left := s.Len; left > 0; {
			if section < len(lies) && at == lies[section].Size {
				section, at = section+1, 0
			}
			if section == len(lies) {
				return p // the list is damaged; what is staged stays
			}
			n := min(left, lies[section].Size-at)
			if s.From == fromStaging {
				p.Moved = append(p.Moved, tree.Move{
					From: s.Addr + s.Len - left, Len: n,
					To: int64(lies[section].LBA)*iso9660.BlockSize + at,
				})
			}
			left -= n
			at += n
		}
	}
	return p
}
