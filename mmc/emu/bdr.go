package emu

// bdR is a BD-R in sequential recording mode without pseudo-overwrite. It is
// written in clusters of 32 blocks: a cluster that is not full when the cache is
// flushed is filled with zeros, and the next writable address moves behind it.
// An interrupted track goes on at its next writable address.
type bdR struct{ sequentialBase }

const (
	bdRCluster = 32
	// bdRGap separates sessions. There is no lead-out between them, but drives
	// leave some clusters out.
	bdRGap         = 256
	bdRMaxSessions = 7927
)

func (bdR) sessionGap(int) uint32 { return bdRGap }
func (bdR) trackGap() uint32      { return 0 }
func (bdR) runOut() uint32        { return 0 }
func (bdR) shortest() uint32      { return bdRCluster }
func (bdR) maxSessions() int      { return bdRMaxSessions }
func (bdR) maxTracks() int        { return bdRMaxSessions }
func (bdR) endsTrack() bool       { return false }
func (bdR) readsOpenTrack() bool  { return true }
func (bdR) resumes() bool         { return true }
func (bdR) merges() bool          { return false }

func (bdR) closes(_ *writeParameters, function uint8) (finalize bool, err error) {
	switch function {
	case closeFunctionSession:
		return false, nil
	case closeFunctionFinal:
		return true, nil
	}
	return false, invalidField.inCDB(2)
}
