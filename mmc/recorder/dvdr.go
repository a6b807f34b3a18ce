package recorder

import (
	"context"
	"errors"
	"fmt"

	"burnfs/mmc"
	"burnfs/mmc/medium"
)

// dvdR records a DVD-R, or a DVD-RW in sequential recording, incrementally:
//
//	MODE SELECT 05h: write type 00h, link size 16, packets of 16 blocks,
//	multi-session 11b
//	SEND OPC INFORMATION
//	WRITE(10) … from the NWA on, packets of 16 blocks
//	SYNCHRONIZE CACHE
//	CLOSE TRACK/SESSION 001b with the track number
//	CLOSE TRACK/SESSION 010b; multi-session 00b before it closes the disc
//
// It needs feature 0021h to be current (MMC-5 5.3.11).
type dvdR struct{}

// dvdRPacket is the size of an ECC block, of which packets and links consist.
const dvdRPacket = 16

// mode returns how the medium is written: a DVD-R or DVD-RW that takes a single
// session only is written at once.
func (o Options) mode(info *medium.Info) Mode {
	if o.Mode == ModeDefault && info.OneSession != "" {
		return ModeDAO
	}
	return o.Mode
}

// newDVDR chooses between incremental recording and disc at once.
func newDVDR(info *medium.Info, opt Options) (rules, error) {
	atOnce := opt.mode(info) == ModeDAO
	switch {
	case info.OpenTrack != nil && atOnce:
		return dvdRAtOnce{}, nil // of which nothing but the end is left
	case opt.Mode == ModeTAO || opt.Mode == ModeSAO:
		return nil, wrongMode(info.Profile, opt.Mode, ModeIncremental, ModeDAO)
	case info.OneSession != "" && (!atOnce || !opt.Final):
		return nil, &NotWritableError{Reason: info.OneSession}
	case !atOnce:
		return dvdR{}, nil
	case !opt.Final:
		return nil, &NotWritableError{Reason: fmt.Sprintf("Writing a %v in the mode dao closes the disc: nothing can be added later. Say that this is meant, or use the mode incremental.", info.Profile)}
	case len(info.Sessions) > 0:
		return nil, &NotWritableError{Reason: fmt.Sprintf("Only a blank %v can be written in the mode dao. Use the mode incremental to add a session.", info.Profile)}
	}
	return dvdRAtOnce{}, nil
}

func (dvdR) chunk() uint32         { return dvdRPacket }
func (dvdR) tail() uint32          { return 0 }
func (dvdR) resumable() bool       { return true }
func (dvdR) closeTrackFirst() bool { return true }

func (dvdR) begin(ctx context.Context, r *sequential) error {
	t, err := medium.LastTrack(ctx, r.d)
	if err != nil {
		return err
	}
	if t.Reserved {
		return reservedFor(t)
	}
	if err := selectIncremental(ctx, r.d, mmc.MultiSessionNext); err != nil {
		return err
	}
	return r.calibrate(ctx)
}

// reservedFor refuses a disc that was told the size of a recording which never
// began.
func reservedFor(t *medium.Track) error {
	return &NotWritableError{Reason: fmt.Sprintf("The disc is reserved for a recording of %d blocks that never began. Write it in the mode dao with just that size, or blank it if it is rewritable.", t.Blocks)}
}

// selectIncremental sends mode page 05h for incremental recording (MMC-5 7.5.4).
// Track mode 5 is data, recorded incrementally; some drives insist on it.
func selectIncremental(ctx context.Context, d *mmc.Drive, m mmc.MultiSession) error {
	const trackModeIncremental = mmc.ControlData | 1
	p := mmc.NewWriteParameters()
	p.SetBUFE(true)
	p.SetWriteType(mmc.WritePacket)
	p.SetLinkSize(dvdRPacket)
	p.SetMultiSession(m)
	p.SetFixedPacket(true)
	p.SetPacketSize(dvdRPacket)
	p.SetTrackMode(trackModeIncremental)
	p.SetDataBlockType(mmc.BlockTypeMode1)
	return selectPage(ctx, d, p)
}

// firstBuffer is more blocks than the buffer of any drive holds.
const firstBuffer = 64 << 20 / mmc.BlockSize

// explain tells of drives that announce incremental recording for a DVD-RW that was
// not blanked in full, and refuse it when the first blocks reach the medium.
func (dvdR) explain(err error, accepted uint32) error {
	if errors.Is(err, mmc.ErrIllegalTrackMode) && accepted < firstBuffer {
		return fmt.Errorf("%w: %w", ErrNotIncremental, err)
	}
	return err
}

// selectPage sends mode page 05h, without buffer underrun protection if the drive
// does not know that.
func selectPage(ctx context.Context, d *mmc.Drive, p mmc.WriteParameters) error {
	err := d.SelectWriteParameters(ctx, p)
	if (errors.Is(err, mmc.ErrInvalidParameter) || errors.Is(err, mmc.ErrInvalidField)) && p.BUFE() {
		p.SetBUFE(false)
		err = d.SelectWriteParameters(ctx, p)
	}
	return err
}

// closeSession sends the page again: the drive may have forgotten it since, and
// its multi-session field decides what closing the session means.
func (dvdR) closeSession(ctx context.Context, r *sequential, keepAppendable bool) (mmc.CloseFunction, error) {
	m := mmc.MultiSessionNext
	if !keepAppendable {
		m = mmc.MultiSessionNone
	}
	return mmc.CloseSession, selectIncremental(ctx, r.d, m)
}

// dvdRAtOnce records a blank DVD-R or DVD-RW disc at once:
//
//	MODE SELECT 05h: write type 02h
//	SEND OPC INFORMATION
//	RESERVE TRACK with the size
//	WRITE(10) … from block 0 on; zeros up to the size if the stream is shorter
//	SYNCHRONIZE CACHE, with which the drive closes the disc
//
// An interrupted recording can only be closed.
type dvdRAtOnce struct{}

func (dvdRAtOnce) closed(context.Context, *sequential) {}
func (dvdRAtOnce) chunk() uint32                       { return dvdRPacket }
func (dvdRAtOnce) tail() uint32                        { return 0 }
func (dvdRAtOnce) resumable() bool                     { return false }
func (dvdRAtOnce) closeTrackFirst() bool               { return true }

func (dvdRAtOnce) begin(ctx context.Context, r *sequential) error {
	if err := selectAtOnce(ctx, r.d); err != nil {
		return err
	}
	if err := r.calibrate(ctx); err != nil {
		return err
	}
	if r.d.MediumChanges() != r.info.Changes {
		return ErrChanged // and the drive has forgotten what it was told
	}
	var rerr error
	blocks := r.limit - r.start
	for range 2 {
		// An earlier attempt, or an answer that was lost, may have left the
		// reservation that is needed.
		t, err := medium.LastTrack(ctx, r.d)
		if err != nil {
			return errors.Join(rerr, err)
		}
		if t.Reserved {
			if t.Free == blocks && t.NWA == r.start {
				return nil
			}
			return errors.Join(rerr, reservedFor(t))
		}
		if rerr = insist.Repeat(ctx, func() error { return r.d.ReserveTrack(ctx, blocks) }); rerr == nil {
			return nil
		}
	}
	return fmt.Errorf("reserving %d blocks: %w", blocks, rerr)
}

func selectAtOnce(ctx context.Context, d *mmc.Drive) error {
	const trackModeIncremental = mmc.ControlData | 1
	p := mmc.NewWriteParameters()
	p.SetBUFE(true)
	p.SetWriteType(mmc.WriteSAO)
	p.SetMultiSession(mmc.MultiSessionNone)
	p.SetTrackMode(trackModeIncremental)
	p.SetDataBlockType(mmc.BlockTypeMode1)
	if err := selectPage(ctx, d, p); err != nil {
		return err
	}
	// With another write type the reservation that follows would mean something
	// else, and it cannot be taken back.
	now, err := d.SenseWriteParameters(ctx)
	if err == nil && now.WriteType() != mmc.WriteSAO {
		return &mmc.ResponseError{Op: mmc.OpModeSelect10, Reason: "the drive did not take the write type", Raw: now}
	}
	if errors.Is(err, mmc.ErrIllegalRequest) {
		return nil // a drive that does not tell
	}
	return err
}

func (dvdRAtOnce) closeSession(ctx context.Context, r *sequential, _ bool) (mmc.CloseFunction, error) {
	return mmc.CloseSession, selectAtOnce(ctx, r.d)
}
