package image

import (
	"burnfs/iso9660"
	"burnfs/iso9660/susp"
)

// A recorder makes the Directory Records of the ISO 9660 tree, in memory that
// it uses again. The same code measures a directory, while addresses are not
// known yet, and writes it.
type recorder struct {
	l        *Layout
	use      systemUse
	inline   []byte
	id       []byte
	record   []byte
	sections []iso9660.Section
}

// directory adds the records of directory i to x, and those of its System Use
// entries that go to the continuation area to c.
func (r *recorder) directory(x *extent, c *continuation, i int, records []*entry) error {
	self, parent := r.l.selfRecord(i), r.l.parentRecord(i)
	r.use.self(r.l, i)
	if _, err := r.one(x, c, self); err != nil {
		return err
	}
	r.use.parent(r.l, i)
	if _, err := r.one(x, c, parent); err != nil {
		return err
	}
	for _, e := range records {
		if err := r.child(x, c, e); err != nil {
			return err
		}
	}
	return x.pad()
}

// one adds a single record with the System Use entries at hand.
func (r *recorder) one(x *extent, c *continuation, rec iso9660.Record) (overflows bool, err error) {
	rec.SystemUse, overflows = r.fit(c, len(rec.Identifier))
	if r.record, err = iso9660.AppendDirectoryRecord(r.record[:0], rec); err != nil {
		return overflows, err
	}
	return overflows, x.record(r.record)
}

// fit returns the System Use field for a record with an identifier of so many
// bytes, whose remaining entries are put to c.
func (r *recorder) fit(c *continuation, identifier int) (field []byte, overflows bool) {
	entries, room := r.use.entries, iso9660.SystemUseRoom(identifier)
	if len(entries) <= room {
		return entries, false
	}
	n := susp.Fit(entries, room-susp.SizeCE)
	c.put(entries[n:])
	r.inline = susp.AppendCE(append(r.inline[:0], entries[:n]...), c.link(0))
	return r.inline, true
}

// child adds the records of e: one for each File Section. They are alike but for
// the section, as all of them describe the file.
func (r *recorder) child(x *extent, c *continuation, e *entry) error {
	rec := iso9660.Record{Time: r.l.mtime(&e.node), Location: r.l.emptyBlock()}
	isDir := e.node.IsDir() && !r.l.placeholder(e)
	r.id = appendIdentifier(r.id[:0], e.id, isDir)
	rec.Identifier = string(r.id)
	r.sections = r.sections[:0]
	switch {
	case isDir:
		rec.Flags = iso9660.FlagDirectory
		d := &r.l.dirs[e.sub]
		r.sections = append(r.sections, iso9660.Section{LBA: d.extent, Size: int64(d.blocks) * iso9660.BlockSize})
	case e.node.IsRegular():
		r.sections = appendSections(r.sections, &e.node, r.l.dataBlock()+e.place.block)
	}
	if len(r.sections) == 0 {
		r.sections = append(r.sections, iso9660.Section{LBA: r.l.emptyBlock()})
	}
	r.use.child(r.l, e)
	rec.SystemUse, e.overflows = r.fit(c, len(rec.Identifier))
	for i, s := range r.sections {
		rec.Location, rec.DataLength = s.LBA, uint32(s.Size)
		rec.Flags &^= iso9660.FlagMultiExtent
		if i < len(r.sections)-1 {
			rec.Flags |= iso9660.FlagMultiExtent
		}
		var err error
		if r.record, err = iso9660.AppendDirectoryRecord(r.record[:0], rec); err != nil {
			return err
		}
		if err := x.record(r.record); err != nil {
			return err
		}
	}
	return nil
}

// overflow writes the continuation area of directory i to x, after the records
// have been made in the same order.
func (r *recorder) overflow(x *extent, c *continuation, i int, records []*entry) error {
	r.use.self(r.l, i)
	if err := r.spill(x, c, len(iso9660.SelfIdentifier)); err != nil {
		return err
	}
	for _, e := range records {
		if !e.overflows {
			continue
		}
		r.use.child(r.l, e)
		r.id = appendIdentifier(r.id[:0], e.id, e.node.IsDir() && !r.l.placeholder(e))
		if err := r.spill(x, c, len(r.id)); err != nil {
			return err
		}
	}
	return x.pad()
}

func (r *recorder) spill(x *extent, c *continuation, identifier int) error {
	if _, overflows := r.fit(c, identifier); !overflows {
		return nil
	}
	for i := range c.parts {
		if err := x.padTo(c.parts[i].at); err != nil {
			return err
		}
		r.record = c.appendPart(r.record[:0], i)
		if err := x.bytes(r.record); err != nil {
			return err
		}
	}
	return nil
}

// placeholder tells whether e, which is a directory, is recorded as a file with
// CL because its directory is relocated. In the relocation directory itself it
// is not.
func (l *Layout) placeholder(e *entry) bool {
	return !e.relocated && l.dirs[e.sub].relocated
}

// selfRecord is the record of directory i in itself.
func (l *Layout) selfRecord(i int) iso9660.Record {
	d := &l.dirs[i]
	return iso9660.Record{
		Location: d.extent, DataLength: d.blocks * iso9660.BlockSize, Time: l.mtime(&d.node),
		Flags: iso9660.FlagDirectory, Identifier: iso9660.SelfIdentifier,
	}
}

// parentRecord is the record of directory i's parent in directory i.
func (l *Layout) parentRecord(i int) iso9660.Record {
	rec := l.selfRecord(l.isoParent(i))
	rec.Identifier = iso9660.ParentIdentifier
	return rec
}
