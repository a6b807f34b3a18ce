package recorder

import (
	"context"

	"burnfs/mmc"
)

// cdAtOnce records a session of one track on CD-R or CD-RW at once (SAO):
//
//	MODE SELECT 05h: write type SAO, multi-session 11b or 00b
//	SEND OPC INFORMATION
//	SEND CUE SHEET: lead-in, pre-gap, track, lead-out
//	WRITE(10) of 150 blocks of zeros from the NWA - 150 on: the pre-gap
//	WRITE(10) … from the NWA on, as many blocks as announced
//	SYNCHRONIZE CACHE; the drive writes the lead-out and has closed the session
//	MODE SELECT 05h: write type TAO
//
// Later sessions are written the same way; all addresses in the cue sheet are
// those of the disc, and track numbers go on (cdrdao writes them so). The form
// of XA blocks in a cue sheet has the sub-header in it, and room for EDC and ECC,
// which the drive makes (MMC-5 6.33.3.13).
type cdAtOnce struct {
	cd
	track int // number of the new track
}

const (
	cdPreGap = 150 // blocks before the first one of a session (MMC-5 4.2.3.5.2)
)

// tail is 0: a track that ends where a lead-out begins has no run-out blocks.
func (cdAtOnce) tail() uint32 { return 0 }

// closed takes the write type back: with SAO some drives tell the pre-gap as the
// next writable address.
func (c cdAtOnce) closed(ctx context.Context, r *sequential) {
	if err := c.selectParameters(ctx, r.d, mmc.WriteTAO, mmc.MultiSessionNext); err != nil {
		r.opt.Log.Debug("the drive keeps its write parameters", "err", err)
	}
}

func (c cdAtOnce) begin(ctx context.Context, r *sequential) error {
	if err := c.selectParameters(ctx, r.d, mmc.WriteSAO, multiSession(!r.opt.Final)); err != nil {
		return err
	}
	if err := r.calibrate(ctx); err != nil {
		return err
	}
	sheet := c.cueSheet(r.start, r.limit)
	if err := insist.Repeat(ctx, func() error { return r.d.SendCueSheet(ctx, sheet) }); err != nil {
		return err
	}
	most := min(cdChunk, int32(r.mostAtOnce()/mmc.BlockSize))
	zeros := make([]byte, most*mmc.BlockSize)
	for lba := int32(r.start) - cdPreGap; lba < int32(r.start); lba += most {
		n := min(most, int32(r.start)-lba)
		if err := c.sendBlocks(ctx, r.d, uint32(lba), zeros[:n*mmc.BlockSize]); err != nil {
			return err
		}
	}
	return nil
}

// cueSheet describes a session whose track reaches from one block to another.
func (c cdAtOnce) cueSheet(start, end uint32) mmc.CueSheet {
	form, pause := mmc.FormMode1, mmc.FormMode1Pause
	if c.xa {
		form, pause = mmc.FormXA, mmc.FormXAPause
	}
	return mmc.CueSheet(nil).
		Append(mmc.ControlData, 0, 0, pause, mmc.MSF{}).
		Append(mmc.ControlData, c.track, 0, form, mmc.MSFOf(int32(start)-cdPreGap)).
		Append(mmc.ControlData, c.track, 1, form, mmc.MSFOf(int32(start))).
		Append(mmc.ControlData, mmc.TOCLeadOut, 1, pause, mmc.MSFOf(int32(end)))
}

func (c cdAtOnce) hostBlock() int {
	if c.xa {
		return mmc.FormXA.BlockSize()
	}
	return mmc.FormMode1.BlockSize()
}

// sendBlocks sends blocks in the form that the cue sheet has announced. lba is
// the two's complement of an address before block 0.
func (c cdAtOnce) sendBlocks(ctx context.Context, d *mmc.Drive, lba uint32, p []byte) error {
	size := c.hostBlock()
	if c.xa {
		framed := make([]byte, 0, len(p)/mmc.BlockSize*size)
		for ; len(p) > 0; p = p[mmc.BlockSize:] {
			block := make([]byte, size)
			block[2], block[6] = mmc.SubModeData, mmc.SubModeData
			copy(block[mmc.SubHeaderSize:], p[:mmc.BlockSize])
			framed = append(framed, block...)
		}
		p = framed
	}
	return mmc.Patience{Wait: mmc.WriteLimit}.Repeat(ctx, func() error { return d.WriteBlocks10(ctx, int32(lba), size, p) })
}
