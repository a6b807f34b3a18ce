package image

import "burnfs/iso9660"

// SetApplicationUse replaces Options.ApplicationUse, up to 512 bytes, after
// the image was laid out: it has a fixed place (ECMA-119 8.4.32), and what an
// application notes there may depend on the layout.
func (l *Layout) SetApplicationUse(b []byte) {
	l.opt.ApplicationUse = b[:min(len(b), iso9660.ApplicationUseSize)]
}
