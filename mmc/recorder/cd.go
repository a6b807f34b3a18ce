package recorder

import (
	"context"
	"errors"

	"burnfs/mmc"
	"burnfs/mmc/medium"
)

// cd records a CD-R or CD-RW track at once (TAO):
//
//	MODE SELECT 05h: write type TAO, multi-session 11b, data blocks of 2048 bytes
//	SEND OPC INFORMATION
//	WRITE(10) … from the NWA on
//	SYNCHRONIZE CACHE, which ends the track
//	CLOSE TRACK/SESSION 010b; multi-session 00b before it closes the disc
//
// CLOSE TRACK (001b) is left out unless the drive insists on it: some drives
// answer it with errors, because the track is closed already.
type cd struct{}

const (
	cdChunk = 16 // 32 KiB
	// cdTail is what follows the data of a track: readers that read ahead must
	// not stumble over the two run-out blocks that end a TAO track (two seconds,
	// as mkisofs -pad).
	cdTail = 150
	// cdAudioPause is the length MMC demands in the page, even for data tracks
	// (MMC-5 7.5.4).
	cdAudioPause = 150
)

func newCD(info *medium.Info, opt Options) (rules, error) {
	if opt.Mode != ModeDefault && opt.Mode != ModeTAO {
		return nil, wrongMode(info.Profile, opt.Mode, ModeTAO)
	}
	return cd{}, nil
}

func (cd) chunk() uint32         { return cdChunk }
func (cd) tail() uint32          { return cdTail }
func (cd) resumable() bool       { return false }
func (cd) closeTrackFirst() bool { return false }

func (cd) begin(ctx context.Context, r *sequential) error {
	if err := selectTAO(ctx, r.d, mmc.MultiSessionNext); err != nil {
		return err
	}
	err := insist.Repeat(ctx, func() error { return r.d.SendOPC(ctx) })
	if errors.Is(err, mmc.ErrIllegalRequest) {
		return nil // the drive calibrates by itself
	}
	if err != nil {
		return err
	}
	return r.d.WaitReady(ctx, "power calibration", readyLimit)
}

// selectTAO sends mode page 05h for a data track, with buffer underrun
// protection unless the drive does not know it.
func selectTAO(ctx context.Context, d *mmc.Drive, m mmc.MultiSession) error {
	p := mmc.NewWriteParameters()
	p.SetBUFE(true)
	p.SetWriteType(mmc.WriteTAO)
	p.SetMultiSession(m)
	p.SetTrackMode(mmc.ControlData)
	p.SetDataBlockType(mmc.BlockTypeMode1)
	p.SetAudioPauseLength(cdAudioPause)
	err := d.SelectWriteParameters(ctx, p)
	if errors.Is(err, mmc.ErrInvalidParameter) {
		p.SetBUFE(false)
		err = d.SelectWriteParameters(ctx, p)
	}
	return err
}

// closeSession sends the page again: the drive may have forgotten it since, and
// its multi-session field decides what closing the session means.
func (cd) closeSession(ctx context.Context, r *sequential, keepAppendable bool) (mmc.CloseFunction, error) {
	m := mmc.MultiSessionNext
	if !keepAppendable {
		m = mmc.MultiSessionNone
	}
	return mmc.CloseSession, selectTAO(ctx, r.d, m)
}
