package image

import (
	"fmt"

	"burnfs/iso9660"
	"burnfs/iso9660/eltorito"
)

// checkBoot looks whether what is recorded for booting has the right sizes.
func checkBoot(opt *Options) error {
	const most = iso9660.FirstDescriptor * iso9660.BlockSize
	switch {
	case len(opt.SystemArea) > most:
		return fmt.Errorf("a system area of %d bytes: %w (%d)", len(opt.SystemArea), iso9660.ErrTooLong, most)
	case len(opt.BootCatalog) > eltorito.MaxBlocks*iso9660.BlockSize:
		return fmt.Errorf("a boot catalogue of %d bytes: %w (%d blocks)", len(opt.BootCatalog), iso9660.ErrTooLong, eltorito.MaxBlocks)
	case opt.BootRecord != nil && len(opt.BootRecord) != iso9660.BlockSize,
		len(opt.BootCatalog)%iso9660.BlockSize != 0,
		opt.BootRecord == nil && opt.BootCatalog != nil:
		return fmt.Errorf("a boot record of %d bytes with a catalogue of %d: %w", len(opt.BootRecord), len(opt.BootCatalog), iso9660.ErrLength)
	}
	return nil
}

// bootRecord is the one of the options, with the address of the new catalogue.
func (l *Layout) bootRecord() iso9660.VolumeDescriptor {
	if l.opt.BootCatalog == nil {
		return l.opt.BootRecord
	}
	r := eltorito.BootRecord{VolumeDescriptor: l.opt.BootRecord}.Clone()
	r.SetCatalog(l.bootCatalog)
	return r.VolumeDescriptor
}

// SetBootCatalog replaces the content of Options.BootCatalog by one of the same
// length, which may depend on where files came to lie. It must be called before
// anything is written.
func (l *Layout) SetBootCatalog(b []byte) error {
	if len(b) != len(l.opt.BootCatalog) {
		return fmt.Errorf("a boot catalogue of %d bytes instead of %d: %w", len(b), len(l.opt.BootCatalog), iso9660.ErrLength)
	}
	l.opt.BootCatalog = b
	return nil
}
