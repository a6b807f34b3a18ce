package emu

// dvdPlusR is a DVD+R, always written in packets of 16 blocks. Every closed
// session has one track, between a closure of the session before and an intro of
// its own. An interrupted track goes on at its next writable address.
type dvdPlusR struct{ sequentialBase }

const (
	dvdPlusRPacket      = 16
	dvdPlusRMaxSessions = 153
	// dvdPlusRGap is the closure zone of a session and the intro zone of the
	// next, 64 packets each (MMC-5 4.3.6.2).
	dvdPlusRGap = 2 * 64 * dvdPlusRPacket
)

func (dvdPlusR) sessionGap(int) uint32 { return dvdPlusRGap }
func (dvdPlusR) trackGap() uint32      { return 0 }
func (dvdPlusR) runOut() uint32        { return 0 }
func (dvdPlusR) shortest() uint32      { return dvdPlusRPacket }
func (dvdPlusR) maxSessions() int      { return dvdPlusRMaxSessions }
func (dvdPlusR) maxTracks() int        { return 999 }
func (dvdPlusR) endsTrack() bool       { return false }
func (dvdPlusR) readsOpenTrack() bool  { return true }
func (dvdPlusR) resumes() bool         { return true }

// merges is true: what was written as several fragments is one track once its
// session is closed (MMC-5 4.3.6.2).
func (dvdPlusR) merges() bool { return true }

func (dvdPlusR) mayWrite(_ *medium, _ *writeParameters, lba, n uint32) error {
	return wholePackets(lba, n)
}

// wholePackets refuses requests that begin or end within a packet.
func wholePackets(lba, n uint32) error {
	switch {
	case lba%dvdPlusRPacket != 0:
		return badWriteAddress.at(lba)
	case n%dvdPlusRPacket != 0:
		return invalidField.inCDB(7)
	}
	return nil
}

func (dvdPlusR) closes(_ *writeParameters, function uint8) (finalize bool, err error) {
	switch function {
	case closeFunctionSession:
		return false, nil
	case closeFunctionFinalMin, closeFunctionFinal:
		return true, nil
	}
	return false, invalidField.inCDB(2)
}

// checkParameters takes a page that tells what the disc is, and makes nothing of
// it: MMC-5 7.5.3 exempts DVD+R, but growisofs sends it, because there are drives
// that look at its multi-session field.
func (dvdPlusR) checkParameters(p writeParameters, base int) error {
	bad := func(off int) error { return invalidParameter.inParameters(base + off) }
	switch {
	case p.writeType() != writeTypePacket, p.testWrite():
		return bad(2)
	case p[3]&multiSessionMask != 0 && !p.multiSession(), p.trackMode() != 4 && p.trackMode() != 5:
		return bad(3)
	case p.dataBlockType() != 8:
		return bad(4)
	case p.fixedPacket() && p.packetSize() != dvdPlusRPacket:
		return bad(10)
	}
	return nil
}
