package image

import (
	"context"
	"fmt"
	"math"

	"burnfs/iso9660"
)

// maxBlocks is where addresses end.
const maxBlocks = math.MaxUint32

// maxLevel is the number of levels of a hierarchy (ECMA-119 6.8.2.1).
const maxLevel = 8

// A planner makes the first walk: it measures every directory and numbers
// everything, but knows no address yet.
type planner struct {
	*Layout
	lister  lister
	records []*entry
	iso     recorder
	joliet  jolietRecorder
}

func plan(ctx context.Context, src Source, opt Options) (*Layout, error) {
	if len(opt.ApplicationUse) > iso9660.ApplicationUseSize {
		return nil, fmt.Errorf("application use of %d bytes: %w (%d)", len(opt.ApplicationUse), iso9660.ErrTooLong, iso9660.ApplicationUseSize)
	}
	if err := checkBoot(&opt); err != nil {
		return nil, err
	}
	root, err := src.Root(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the root directory: %w", err)
	}
	if !root.IsDir() {
		return nil, &NodeError{Path: "/", What: "the root is not a directory"}
	}
	opt.OwnSize = opt.OwnSize && opt.Start != 0
	opt.SHA256 = opt.SHA256 && opt.Checksums && opt.RockRidge
	l := &Layout{src: src, opt: opt, relocation: -1, links: map[uint64]place{}, same: map[uint64]recorded{}, booted: map[uint64]bootPlace{}}
	l.dirs = append(l.dirs, directory{node: root, level: 1})
	if opt.Scratch != nil {
		l.transcript = &transcript{file: opt.Scratch}
	}
	p := planner{Layout: l, lister: lister{src: src}, iso: recorder{l: l}, joliet: jolietRecorder{l: l}}
	p.lost("/", &root)
	for i := 0; i >= 0; i = l.next(i) {
		l.dirs[i].start = l.end
		if err := p.measure(ctx, i); err != nil {
			return nil, err
		}
	}
	l.complete = true
	if l.transcript != nil {
		if l.transcript.flush(); l.transcript.err != nil {
			l.transcript = nil
		}
	}
	if err := p.relocate(ctx); err != nil {
		return nil, err
	}
	if err := l.address(); err != nil {
		return nil, err
	}
	if err := l.nameBootImages(); err != nil {
		return nil, err
	}
	return l, nil
}

// measure reads directory i for the first time.
func (p *planner) measure(ctx context.Context, i int) error {
	path := p.path(i)
	if err := p.lister.read(ctx, p.dirs[i].node, path); err != nil {
		return err
	}
	if p.transcript != nil {
		p.dirs[i].noted = p.transcript.note(p.lister.entries)
	}
	p.dirs[i].handled = handled(p.lister.entries)
	p.dirs[i].sub = len(p.dirs)
	at, err := p.assign(i, p.lister.entries)
	if err != nil {
		return err
	}
	p.dirs[i].subs, p.end = at.subs, at.place
	for _, e := range p.lister.entries {
		if e.node.IsDir() {
			p.dirs = append(p.dirs, p.subdirectory(i, e.node))
		}
		p.warn(path, e)
		if err := p.meetBoot(path, e); err != nil {
			return err
		}
	}
	p.records = p.isoRecords(&p.lister, p.records, i)
	for _, e := range p.records {
		if e.node.IsDir() {
			p.dirs[e.sub].id = string(appendIdentifier(nil, e.id, true))
		}
	}
	if err := p.measureISO(i); err != nil {
		return err
	}
	if !p.opt.Joliet {
		return nil
	}
	return p.measureJoliet(i, path)
}

// subdirectory describes a directory found in directory i.
func (p *planner) subdirectory(i int, node Node) directory {
	d := directory{node: node, parent: i, level: p.dirs[i].level + 1}
	if d.level > maxLevel && p.opt.RockRidge && !p.opt.DeepPaths {
		d.relocated = true
		d.level = relocatedLevel
	}
	return d
}

func (p *planner) measureISO(i int) error {
	var x extent
	var c continuation
	if err := p.iso.directory(&x, &c, i, p.records); err != nil {
		return &NodeError{Path: p.path(i), What: "its records cannot be made", Err: err}
	}
	overflow := blocksOf(c.used)
	if x.size > math.MaxUint32 || overflow > maxBlocks {
		return &NodeError{Path: p.path(i), What: "its records take 4 GiB or more", Err: ErrTooLarge}
	}
	p.dirs[i].blocks, p.dirs[i].overflow = uint32(blocksOf(x.size)), uint32(overflow)
	return nil
}

func (p *planner) measureJoliet(i int, path string) error {
	var shortened func(string)
	if p.opt.Warn != nil {
		shortened = func(name string) {
			p.opt.Warn(join(path, name), fmt.Sprintf("the Joliet tree has only the first %d characters of the name", jolietMaxCharacters))
		}
	}
	p.records = p.lister.joliet(p.records, shortened)
	for _, e := range p.records {
		if e.node.IsDir() {
			p.dirs[e.sub].jolietID = string(e.id)
		}
	}
	var x extent
	if err := p.joliet.directory(&x, i, p.records); err != nil {
		return &NodeError{Path: path, What: "its Joliet records cannot be made", Err: err}
	}
	if x.size > math.MaxUint32 {
		return &NodeError{Path: path, What: "its Joliet records take 4 GiB or more", Err: ErrTooLarge}
	}
	p.dirs[i].jolietSize = uint32(blocksOf(x.size))
	return nil
}

// maxSections is where Linux stops to follow the sections of a file.
const maxSections = 100

// libisofsTarget is the longest target of a symbolic link that libisofs takes
// (LIBISOFS_NODE_PATH_MAX).
const libisofsTarget = 1024

// warn tells of what e loses.
func (p *planner) warn(path string, e *entry) {
	p.lost(join(path, e.node.Name), &e.node)
	if p.opt.Warn == nil {
		return
	}
	switch {
	case e.node.IsDir() && p.dirs[e.sub].level > maxLevel && !p.opt.DeepPaths:
		p.opt.Warn(join(path, e.node.Name), fmt.Sprintf("at level %d, and ISO 9660 without Rock Ridge allows %d", p.dirs[e.sub].level, maxLevel))
	case !p.opt.RockRidge && !e.node.IsDir() && !e.node.IsRegular():
		p.opt.Warn(join(path, e.node.Name), "left out: without Rock Ridge only files and directories can be recorded")
	}
	if len(e.node.Target) > libisofsTarget {
		p.opt.Warn(join(path, e.node.Name), fmt.Sprintf("a symbolic link with a target of %d bytes; xorriso cannot load images that have one of more than %d", len(e.node.Target), libisofsTarget))
	}
	if e.node.IsRegular() {
		p.iso.sections = appendSections(p.iso.sections[:0], &e.node, 0)
		if n := len(p.iso.sections); n > maxSections {
			p.opt.Warn(join(path, e.node.Name), fmt.Sprintf("recorded in %d sections; Linux reads files of at most %d", n, maxSections))
		}
	}
}

// lost tells of attributes that n loses.
func (p *planner) lost(path string, n *Node) {
	tell := p.opt.Lost
	if tell == nil {
		tell = p.opt.Warn
	}
	if tell == nil || !p.opt.RockRidge || len(n.Xattrs) == 0 {
		return
	}
	if fit := fittingXattrs(n); fit < len(n.Xattrs) {
		tell(path, fmt.Sprintf("only %d of its %d extended attributes fit into the directory", fit, len(n.Xattrs)))
	}
}

// address gives every structure its address.
func (l *Layout) address() error {
	at := blockCounter(l.opt.Start)
	at.take(iso9660.FirstDescriptor)
	at.take(l.descriptors())
	if l.opt.Checksums {
		l.superblock = at.take(1)
	}
	l.sbsector = l.opt.Start
	if l.opt.OwnSize {
		l.sbsector = at.take(l.descriptors()) - iso9660.FirstDescriptor
	}
	l.bootCatalog = at.take(int64(len(l.opt.BootCatalog) / iso9660.BlockSize))
	h := l.isoHierarchy()
	l.iso = at.tables(h.size())
	for _, i := range l.isoOrder() {
		l.dirs[i].extent = at.take(int64(l.dirs[i].blocks))
		at.take(int64(l.dirs[i].overflow))
	}
	if l.opt.Joliet {
		h := l.jolietHierarchy()
		l.joliet = at.tables(h.size())
		for i := 0; i >= 0; i = l.next(i) {
			l.dirs[i].joliet = at.take(int64(l.dirs[i].jolietSize))
		}
	}
	if l.opt.Checksums {
		at.take(1)
	}
	l.header = Header{Start: l.opt.Start, TreeBlocks: uint32(int64(at) - int64(l.opt.Start)), DataBlocks: l.end.block, Checksums: l.opt.Checksums, SHA256: l.opt.SHA256, Digests: l.end.index}
	at.take(int64(l.end.block))
	at.take(l.header.ChecksumBlocks())
	at.take(int64(l.opt.Pad))
	total := max(int64(at)-int64(l.opt.Start), int64(l.opt.MinBlocks))
	if align := int64(max(l.opt.Align, 1)); total%align != 0 {
		total += align - total%align
	}
	if int64(l.opt.Start)+total > maxBlocks {
		return fmt.Errorf("%w: it would end at block %d", ErrTooLarge, int64(l.opt.Start)+total)
	}
	l.header.Blocks = uint32(total)
	return nil
}

// descriptors is the number of blocks of the Volume Descriptor Set.
func (l *Layout) descriptors() int64 {
	n := int64(2) // primary descriptor and terminator
	if l.opt.BootRecord != nil {
		n++
	}
	if l.opt.Joliet {
		n++
	}
	return n
}

// A blockCounter is the address of the next free block. It counts beyond what
// an address can hold; the end is checked.
type blockCounter int64

func (c *blockCounter) take(blocks int64) uint32 {
	at := *c
	*c += blockCounter(blocks)
	return uint32(at)
}

func (c *blockCounter) tables(size int64) tables {
	return tables{size: size, typeL: c.take(blocksOf(size)), typeM: c.take(blocksOf(size))}
}
