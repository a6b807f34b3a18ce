package image

import (
	"io"

	"burnfs/iso9660"
)

// writeSystemArea writes what precedes the Volume Descriptor Set (ECMA-119 6.2.1).
func (l *Layout) writeSystemArea(w io.Writer) error {
	x := extent{w: w}
	if err := x.bytes(l.opt.SystemArea); err != nil {
		return err
	}
	return x.padTo(iso9660.FirstDescriptor * iso9660.BlockSize)
}

// writeDescriptors writes the Volume Descriptor Set (ECMA-119 6.7.1). Size is the
// volume space size.
func (l *Layout) writeDescriptors(w io.Writer, size uint32) error {
	x := extent{w: w}
	if err := x.bytes(l.primary(size).Bytes()); err != nil {
		return err
	}
	if l.opt.BootRecord != nil {
		if err := x.bytes(l.bootRecord().Bytes()); err != nil {
			return err
		}
	}
	if l.opt.Joliet {
		if err := x.bytes(l.supplementary(size).Bytes()); err != nil {
			return err
		}
	}
	return x.bytes(iso9660.NewTerminator().Bytes())
}

func (l *Layout) primary(size uint32) iso9660.PrimaryVolumeDescriptor {
	d := iso9660.NewPrimary()
	d.SetSystemIdentifier(iso9660.ToACharacters(l.opt.SystemID))
	d.SetVolumeIdentifier(iso9660.ToDCharacters(l.opt.VolumeID))
	d.SetVolumeSetIdentifier(iso9660.ToDCharacters(l.opt.VolumeSetID))
	d.SetPublisherIdentifier(iso9660.ToACharacters(l.opt.Publisher))
	d.SetDataPreparerIdentifier(iso9660.ToACharacters(l.opt.Preparer))
	d.SetApplicationIdentifier(iso9660.ToACharacters(l.opt.Application))
	copy(d.ApplicationUse(), l.opt.ApplicationUse)
	l.describe(d.TreeDescriptor, l.iso, size)
	d.SetRootRecord(l.selfRecord(0))
	return d
}

func (l *Layout) supplementary(size uint32) iso9660.SupplementaryVolumeDescriptor {
	d := iso9660.NewJoliet()
	d.SetSystemIdentifier(l.opt.SystemID)
	d.SetVolumeIdentifier(l.opt.VolumeID)
	d.SetVolumeSetIdentifier(l.opt.VolumeSetID)
	d.SetPublisherIdentifier(l.opt.Publisher)
	d.SetDataPreparerIdentifier(l.opt.Preparer)
	d.SetApplicationIdentifier(l.opt.Application)
	l.describe(d.TreeDescriptor, l.joliet, size)
	r := jolietRecorder{l: l}
	d.SetRootRecord(r.subdirectory(0, iso9660.SelfIdentifier))
	return d
}

// describe fills in what the two descriptors have in common.
func (l *Layout) describe(d iso9660.TreeDescriptor, t tables, size uint32) {
	d.SetVolumeSpaceSize(size)
	d.SetPathTableSize(uint32(t.size))
	d.SetTypeLPathTable(t.typeL)
	d.SetTypeMPathTable(t.typeM)
	d.SetCreationTime(l.opt.Now)
	d.SetModificationTime(l.opt.Now)
}

// tables says where the two path tables of a tree are.
type tables struct {
	size         int64 // bytes of one
	typeL, typeM uint32
}
