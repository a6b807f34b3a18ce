package volume

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"burnfs/iso9660"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
)

// maxDescriptors is how many volume descriptors Open reads in search of the end
// of their set. Real discs have up to five.
const maxDescriptors = 64

// Options change what is shown of a volume.
type Options struct {
	Log         *slog.Logger // what is odd but no error; nil for no log
	NoRockRidge bool         // do as if there were no Rock Ridge
	NoJoliet    bool         // do as if there were no Joliet
	NoEnhanced  bool         // do as if there were no descriptor of ISO 9660:1999
}

// A TreeKind says which of its trees is shown of a volume.
type TreeKind int

// The kinds, in the order in which they are preferred.
const (
	RockRidge TreeKind = iota
	Joliet
	Enhanced // of ISO 9660:1999
	Plain
)

func (k TreeKind) String() string {
	switch k {
	case RockRidge:
		return "Rock Ridge"
	case Joliet:
		return "Joliet"
	case Enhanced:
		return "ISO 9660:1999"
	}
	return "ISO 9660"
}

// A Volume reads one session of a disc. Its methods may be called concurrently.
type Volume struct {
	blocks   iso9660.BlockReader
	log      *slog.Logger
	start    uint32
	primary  iso9660.PrimaryVolumeDescriptor
	joliet   iso9660.SupplementaryVolumeDescriptor // zero if there is none
	enhanced iso9660.SupplementaryVolumeDescriptor // zero if there is none
	tree     TreeKind
	damage   error     // why a better tree is not shown
	root     Directory // of the tree that is shown
	skip     int       // bytes before the entries of a System Use field (SUSP 5.3)

	scanners sync.Pool // of *scanner
}

// A Directory is the extent of a directory.
type Directory = iso9660.Section

// Open reads the descriptors of the volume whose System Area begins at block
// start, and the beginning of its root directory. The error wraps what r returned,
// or one of iso9660.ErrNotISO9660, ErrHighSierra, ErrNoPrimary, ErrBlockSize.
func Open(ctx context.Context, r iso9660.BlockReader, start uint32, opt Options) (*Volume, error) {
	v := &Volume{blocks: r, start: start, log: opt.Log}
	if v.log == nil {
		v.log = slog.New(slog.DiscardHandler)
	}
	v.scanners.New = func() any { return &scanner{v: v} }
	if err := v.readDescriptors(ctx, opt); err != nil {
		return nil, err
	}
	if err := v.chooseTree(ctx, opt); err != nil {
		return nil, err
	}
	return v, nil
}

func (v *Volume) readDescriptors(ctx context.Context, opt Options) error {
	for i := range uint32(maxDescriptors) {
		lba := v.start + iso9660.FirstDescriptor + i
		if lba < v.start {
			break
		}
		block := make([]byte, iso9660.BlockSize)
		d, err := iso9660.VolumeDescriptor(nil), v.blocks.ReadBlocks(ctx, lba, block)
		if err == nil {
			d, err = iso9660.ParseVolumeDescriptor(block, lba)
		}
		if err != nil {
			if v.primary.VolumeDescriptor == nil || ctx.Err() != nil {
				return fmt.Errorf("reading the volume descriptors of the session at block %d: %w", v.start, err)
			}
			v.log.Warn("the volume descriptors have no terminator", "block", lba, "err", err)
			break
		}
		if d.Type() == iso9660.TypeTerminator {
			break
		}
		if p, ok := iso9660.ParsePrimary(d); ok && v.primary.VolumeDescriptor == nil {
			v.primary = p
		}
		if s, ok := iso9660.ParseSupplementary(d); ok && s.JolietLevel() > 0 && !opt.NoJoliet && v.joliet.VolumeDescriptor == nil {
			v.joliet = s
		} else if ok && d.Version() == iso9660.VersionEnhanced && !opt.NoEnhanced && v.enhanced.VolumeDescriptor == nil {
			v.enhanced = s
		}
	}
	if v.primary.VolumeDescriptor == nil {
		return fmt.Errorf("the session at block %d: %w", v.start, iso9660.ErrNoPrimary)
	}
	// There is one size, so that either half of the number will do.
	size, other := v.primary.LogicalBlockSize(), iso9660.MSB16(v.primary.VolumeDescriptor[130:])
	if size != iso9660.BlockSize && other == iso9660.BlockSize {
		v.log.Warn("the two halves of the logical block size disagree", "little-endian", size, "big-endian", other)
	} else if size != iso9660.BlockSize {
		return &iso9660.FormatError{
			What: "primary volume descriptor", LBA: v.start + iso9660.FirstDescriptor, Offset: 128,
			Err: fmt.Errorf("%w but %d", iso9660.ErrBlockSize, size),
		}
	}
	return nil
}

// chooseTree finds the root to be shown. A primary tree whose root cannot be read
// is passed over if there is a Joliet one.
func (v *Volume) chooseTree(ctx context.Context, opt Options) error {
	v.tree = Plain
	root, err := v.rootOf(v.primary.TreeDescriptor)
	if err == nil && !opt.NoRockRidge {
		var found bool
		if v.skip, found, err = v.findRockRidge(ctx, root); found {
			v.tree = RockRidge
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, other := range []struct {
		kind       TreeKind
		descriptor iso9660.SupplementaryVolumeDescriptor
	}{{Joliet, v.joliet}, {Enhanced, v.enhanced}} {
		if v.tree != Plain || other.descriptor.VolumeDescriptor == nil {
			continue
		}
		otherRoot, otherErr := v.rootOf(other.descriptor.TreeDescriptor)
		if otherErr == nil {
			_, otherErr = v.selfRecord(ctx, otherRoot.LBA, make([]byte, iso9660.BlockSize))
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case otherErr == nil:
			// Some producers of Joliet trees have no other, and a root record that
			// leads out of the volume.
			if err != nil && int64(root.LBA) < int64(v.start)+int64(v.primary.VolumeSpaceSize()) {
				v.log.Warn("the primary tree cannot be read; another one is shown", "tree", other.kind, "err", err)
				v.damage = err
			}
			v.tree, root, err = other.kind, otherRoot, nil
		case err != nil:
			err = errors.Join(err, otherErr)
		default:
			v.log.Warn("a tree cannot be read and is passed over", "tree", other.kind, "err", otherErr)
		}
	}
	if err != nil {
		return fmt.Errorf("reading the root directory of the session at block %d: %w", v.start, err)
	}
	v.root = root
	return nil
}

func (v *Volume) rootOf(d iso9660.TreeDescriptor) (Directory, error) {
	record, err := d.RootRecord()
	if err == nil && !record.IsDirectory() {
		err = iso9660.ErrLength
	}
	if err != nil {
		return Directory{}, &iso9660.FormatError{What: "root directory record in a volume descriptor", LBA: v.start + iso9660.FirstDescriptor, Offset: 156, Err: err}
	}
	return record.Section(), nil
}

// findRockRidge tells whether the tree at root has Rock Ridge: by an ER in its first
// record or, because the ER may lie in a Continuation Area that is lost, by a PX,
// or by the RR of versions until 1.09.
//
// Where SP is missing, which the protocol demands at the beginning of that record,
// a PX that belongs to a directory will do: old producers left SP out, and Linux
// never looks for it.
func (v *Volume) findRockRidge(ctx context.Context, root Directory) (skip int, found bool, err error) {
	block := make([]byte, iso9660.BlockSize)
	self, err := v.selfRecord(ctx, root.LBA, block)
	if err != nil {
		return 0, false, err
	}
	area := self.SystemUse()
	at, skip, shared := susp.FindSP(area)
	if !shared {
		if isXA(area) {
			at, skip = sizeXA, sizeXA
		}
	}
	s := v.scanner()
	defer v.release(s)
	for e, err := range susp.Walk(ctx, area[at:], s) {
		if err != nil {
			if shared {
				v.log.Warn("the System Use field of the root is damaged", "block", root.LBA, "err", err)
				v.damage = &iso9660.FormatError{What: "System Use field of the root", LBA: root.LBA, Err: err}
			}
			break
		}
		if er, ok := susp.ParseER(e); ok && rrip.IsRockRidge(er.Identifier) {
			return skip, true, nil
		}
		px, ok := rrip.ParsePX(e)
		switch {
		case ok && (shared || px.Mode&ModeType == ModeDirectory), shared && e.Signature() == rrip.SignatureRR:
			return skip, true, nil
		}
	}
	return 0, false, nil
}

// elsewhere tells whether number is that of another volume of the set than this
// one. Where there is no set the number says nothing, and many producers record
// nonsense. Where there is one, the root is certainly here.
func (v *Volume) elsewhere(number uint16) bool {
	if v.primary.VolumeSetSize() <= 1 || number == v.primary.VolumeSequenceNumber() {
		return false
	}
	root, err := v.primary.RootRecord()
	return err == nil && number != root.VolumeSequenceNumber()
}

// selfRecord reads the first block of a directory into block and returns the
// record of the directory itself, with which it begins (ECMA-119 6.8.2.2).
func (v *Volume) selfRecord(ctx context.Context, lba uint32, block []byte) (iso9660.DirectoryRecord, error) {
	if lba == 1<<32-1 { // READ(10) cannot name it
		return nil, &iso9660.FormatError{What: "first record of a directory", LBA: lba, Err: iso9660.ErrOutside}
	}
	if err := v.blocks.ReadBlocks(ctx, lba, block); err != nil {
		return nil, &readError{err}
	}
	record, err := iso9660.ParseDirectoryRecord(block)
	if err == nil && !record.IsSelf() {
		err = errNoSelf
	}
	if err != nil {
		return nil, &iso9660.FormatError{What: "first record of a directory", LBA: lba, Err: err}
	}
	return record, nil
}

// Start is the first block of the session.
func (v *Volume) Start() uint32 { return v.start }

// Primary is the Primary Volume Descriptor; it is not to be changed.
func (v *Volume) Primary() iso9660.PrimaryVolumeDescriptor { return v.primary }

// Joliet is the Supplementary Volume Descriptor of the Joliet tree, if there is
// one and the options do not forbid it; it is not to be changed.
func (v *Volume) Joliet() (d iso9660.SupplementaryVolumeDescriptor, ok bool) {
	return v.joliet, v.joliet.VolumeDescriptor != nil
}

// Tree says which tree is shown.
func (v *Volume) Tree() TreeKind { return v.tree }

// Damage is why the tree that is shown is not the one that would be preferred: the
// beginning of that one's root cannot be read. It is nil if nothing is in the way. A
// further session that is made of such a volume loses what only the other tree has.
func (v *Volume) Damage() error { return v.damage }
