package check

import (
	"context"
	"errors"

	"burnfs/iso9660"
	"burnfs/iso9660/eltorito"
)

// bootRecord notes the first boot record of El Torito. Those of other boot systems
// (8.2.4) hold what nobody but them knows.
func (c *checker) bootRecord(d iso9660.VolumeDescriptor, lba uint32) {
	if r, ok := eltorito.ParseBootRecord(d); ok && c.boot.VolumeDescriptor == nil {
		c.boot, c.bootLBA = r, lba
	}
}

// booting checks what the session is booted with. Neither catalogue nor images have
// to be files, and what files they are is not known; so they are not compared with
// other extents.
func (c *checker) booting() {
	if c.boot.VolumeDescriptor == nil {
		return
	}
	if at := c.start + eltorito.Block; c.bootLBA != at {
		c.report(BootRecord, c.bootLBA, 0, "", "firmware looks for the boot record at block %d only", at)
	}
	if v := c.boot.Version(); v != 1 {
		c.report(BootRecord, c.bootLBA, 6, "", "the version of the boot record is %d instead of 1", v)
	}
	at := c.boot.Catalog()
	if !c.inside(int64(at), 1) {
		c.report(BootRecord, c.bootLBA, 0x47, "", "the boot catalogue lies at block %d, outside of the volume", at)
		return
	}
	catalog, err := eltorito.Load(c.ctx, counted{c}, at)
	if c.done() {
		return
	}
	if format, ok := errors.AsType[*iso9660.FormatError](err); ok {
		c.report(BootCatalog, format.LBA, format.Offset, "", "the boot catalogue is broken: %v", format.Err)
	} else if err != nil {
		c.report(Unreadable, at, 0, "", "the boot catalogue cannot be read: %v", err)
	}
	if catalog == nil {
		return
	}
	for _, i := range catalog.Images {
		if !i.Bootable() {
			continue
		}
		blocks := max((i.Size()+iso9660.BlockSize-1)/iso9660.BlockSize, 1)
		if !c.inside(int64(i.LBA()), blocks) {
			c.report(BootImage, at+uint32(i.Offset/iso9660.BlockSize), i.Offset%iso9660.BlockSize, "",
				"the boot image for %v (blocks %d to %d) ends outside of the volume", i.Platform, i.LBA(), int64(i.LBA())+blocks-1)
		}
	}
}

// counted are the blocks of the medium, read as all others are.
type counted struct{ *checker }

// ReadBlocks implements iso9660.BlockReader.
func (c counted) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	return c.read(int64(lba), p)
}
