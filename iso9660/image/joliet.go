package image

import "burnfs/iso9660"

// A jolietRecorder makes the Directory Records of the Joliet tree. It shows the
// same files at the same addresses, at their real depth and without attributes.
// Symbolic links and special files have no place in it.
type jolietRecorder struct {
	l        *Layout
	record   []byte
	sections []iso9660.Section
}

// directory adds the records of directory i to x.
func (r *jolietRecorder) directory(x *extent, i int, records []*entry) error {
	if err := r.put(x, r.subdirectory(i, iso9660.SelfIdentifier)); err != nil {
		return err
	}
	if err := r.put(x, r.subdirectory(r.l.dirs[i].parent, iso9660.ParentIdentifier)); err != nil {
		return err
	}
	for _, e := range records {
		if err := r.child(x, e); err != nil {
			return err
		}
	}
	return x.pad()
}

func (r *jolietRecorder) subdirectory(i int, identifier string) iso9660.Record {
	d := &r.l.dirs[i]
	return iso9660.Record{
		Location: d.joliet, DataLength: d.jolietSize * iso9660.BlockSize, Time: r.l.mtime(&d.node),
		Flags: iso9660.FlagDirectory, Identifier: identifier,
	}
}

func (r *jolietRecorder) child(x *extent, e *entry) error {
	if e.node.IsDir() {
		return r.put(x, r.subdirectory(e.sub, string(e.id)))
	}
	rec := iso9660.Record{Location: r.l.emptyBlock(), Time: r.l.mtime(&e.node), Identifier: string(e.id)}
	r.sections = appendSections(r.sections[:0], &e.node, r.l.dataBlock()+e.place.block)
	if len(r.sections) == 0 {
		return r.put(x, rec)
	}
	for i, s := range r.sections {
		rec.Location, rec.DataLength, rec.Flags = s.LBA, uint32(s.Size), 0
		if i < len(r.sections)-1 {
			rec.Flags = iso9660.FlagMultiExtent
		}
		if err := r.put(x, rec); err != nil {
			return err
		}
	}
	return nil
}

func (r *jolietRecorder) put(x *extent, rec iso9660.Record) error {
	var err error
	if r.record, err = iso9660.AppendDirectoryRecord(r.record[:0], rec); err != nil {
		return err
	}
	return x.record(r.record)
}
