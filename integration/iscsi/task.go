package iscsi

import (
	"context"

	"burnfs/mmc"
)

// SCSI status (SAM-5 5.3.1).
const (
	statusGood           = 0x00
	statusCheckCondition = 0x02
)

// Sense data of the transport (SPC-4 annex D, RFC 7143 11.4.7.2).
var (
	senseUnexpectedData  = condition{mmc.KeyAbortedCommand, 0x0c, 0x0c} // WRITE ERROR - UNEXPECTED UNSOLICITED DATA
	senseWrongAmount     = condition{mmc.KeyAbortedCommand, 0x0c, 0x0d} // WRITE ERROR - NOT ENOUGH UNSOLICITED DATA
	senseInvalidUnit     = condition{mmc.KeyIllegalRequest, 0x0e, 0x03} // INVALID FIELD IN COMMAND INFORMATION UNIT
	senseInvalidField    = condition{mmc.KeyIllegalRequest, 0x24, 0x00} // INVALID FIELD IN CDB
	senseNoLogicalUnit   = condition{mmc.KeyIllegalRequest, 0x25, 0x00} // LOGICAL UNIT NOT SUPPORTED
	senseUnitReset       = condition{mmc.KeyUnitAttention, 0x29, 0x03}  // BUS DEVICE RESET FUNCTION OCCURRED
	senseClearedByOthers = condition{mmc.KeyUnitAttention, 0x2f, 0x00}  // COMMANDS CLEARED BY ANOTHER INITIATOR
)

// condition is what sense data say.
type condition struct {
	key       mmc.SenseKey
	asc, ascq uint8
}

func (c condition) sense() mmc.Sense { return mmc.NewSense(c.key, c.asc, c.ascq) }

// outcome is how a command ended.
type outcome struct {
	lost     bool // the drive did not answer: iSCSI response Target Failure
	status   uint8
	sense    mmc.Sense // for CHECK CONDITION
	data     []byte    // for the initiator
	overflow uint32    // bytes that did not fit into the expected length
	residual uint32    // bytes of the expected length that were not transferred
}

func checkCondition(c condition) outcome {
	return outcome{status: statusCheckCondition, sense: c.sense()}
}

// task is a SCSI command from its arrival to its answer.
type task struct {
	header
	data  []byte          // immediate data
	ctx   context.Context // ends when the task is aborted, or with the session
	abort context.CancelFunc
	ended chan struct{} // closed when nothing more is sent for the task

	aborted bool // guarded by session.mu: no status must be sent
}

// command takes a SCSI command into the queue (RFC 7143 11.3).
func (s *session) command(p *pdu) error {
	agreed := s.agreed()
	if len(p.data) > 0 && (!p.writes() || !agreed.immediateData || len(p.data) > agreed.firstBurst ||
		uint32(len(p.data)) > p.expectedLength()) {
		return s.reject(p, rejectProtocolError)
	}
	t := &task{header: p.header, data: p.data, ended: make(chan struct{})}
	s.mu.Lock()
	why := rejectReason(0)
	switch {
	case p.itt() == noTag, s.tasks[p.itt()] != nil:
		why = rejectInvalidField
	case p.immediate() && s.immediate == maxImmediate:
		why = rejectTooManyImmediate
	case p.immediate():
		s.immediate++
	default:
		s.windowed++
	}
	if why == 0 {
		t.ctx, t.abort = context.WithCancel(s.over)
		s.tasks[t.itt()] = t
	}
	s.mu.Unlock()
	if why != 0 {
		return s.reject(p, why)
	}
	s.queue <- t // has room for as many as the counters allow
	return nil
}

// execute executes the tasks one after the other until the session ends.
func (s *session) execute() {
	for {
		select {
		case t := <-s.queue:
			s.executeTask(t)
			continue
		case <-s.over.Done():
		}
		break
	}
	for len(s.queue) > 0 {
		s.settle(<-s.queue)
	}
	if s.node != nil {
		s.node.unit.allowRemoval(s)
	}
}

func (s *session) executeTask(t *task) {
	defer s.settle(t)
	if t.ctx.Err() != nil { // aborted while it waited
		return
	}
	o := s.perform(t)
	if t.ctx.Err() != nil {
		return
	}
	if err := s.answer(t, &o); err != nil {
		s.log.Debug("iSCSI target: no way back for the status", "err", err)
	}
}

// perform does everything for a task but the answer.
func (s *session) perform(t *task) outcome {
	var expected uint64
	if t.reads() || t.writes() {
		expected = uint64(t.expectedLength())
	}
	blocks := blockTransferOf(t.cdb(), expected)
	if o, refused := s.refusal(t); refused {
		o.residual = uint32(expected)
		return o
	}
	if o, refused := contradiction(t, blocks, expected); refused {
		return o
	}
	cmd := &mmc.Command{CDB: trimCDB(t.cdb()), Timeout: commandTimeout}
	length := expected
	if blocks.direction != mmc.NoData {
		length = blocks.length
	}
	switch {
	case t.writes():
		data, bad, err := s.collect(t, int(length))
		switch {
		case err != nil:
			return outcome{lost: true} // which nobody hears
		case bad != nil:
			return checkCondition(*bad)
		}
		cmd.Direction, cmd.Data = mmc.ToDrive, data
	case length > 0:
		cmd.Direction, cmd.Data = mmc.FromDrive, make([]byte, length)
	}
	o := s.node.unit.execute(t.ctx, s, t.lun(), cmd)
	got := uint64(len(cmd.Transferred()))
	if cmd.Direction == mmc.FromDrive {
		o.data = cmd.Transferred()[:min(got, expected)]
	}
	if got > expected {
		o.overflow = uint32(got - expected)
	} else {
		o.residual = uint32(expected - got)
	}
	return o
}

// contradiction refuses a task whose expected length and CDB disagree so that it
// cannot be executed, or is more than this target has memory for.
func contradiction(t *task, blocks blockTransfer, expected uint64) (outcome, bool) {
	switch {
	case t.reads() && t.writes(), expected > maxTransfer,
		blocks.direction == mmc.FromDrive && t.writes(), blocks.direction == mmc.ToDrive && t.reads():
		o := checkCondition(senseInvalidUnit)
		o.residual = uint32(expected)
		return o, true
	case blocks.length > maxTransfer:
		o := checkCondition(senseInvalidField)
		o.residual = uint32(expected)
		return o, true
	case blocks.direction == mmc.ToDrive && blocks.length > expected:
		o := checkCondition(senseInvalidUnit)
		o.overflow = uint32(blocks.length - expected)
		return o, true
	}
	return outcome{}, false
}

// refusal is what a task hears before it may send or receive anything.
func (s *session) refusal(t *task) (outcome, bool) {
	op := mmc.Opcode(t.cdb()[0])
	if !t.lun().zero() && !answersAnyLUN(op) {
		return checkCondition(senseNoLogicalUnit), true
	}
	if t.flags()&(flagFinal|0x20) == 0x20 { // W without F: unsolicited Data-Out would follow
		return checkCondition(senseUnexpectedData), true // InitialR2T=Yes forbids it
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.attention == nil || !t.lun().zero() || heedless(op) {
		return outcome{}, false
	}
	o := outcome{status: statusCheckCondition, sense: s.attention}
	s.attention = nil
	return o, true
}

// answer sends data and status (RFC 7143 11.4, 11.7).
func (s *session) answer(t *task, o *outcome) error {
	if !t.reads() {
		o.data = nil
	}
	alone := o.lost || o.status != statusGood || len(o.data) == 0
	sent, err := s.sendData(t, o, alone)
	if err != nil || !alone {
		return err
	}
	r := new(pdu)
	r.setOpcode(opSCSIResponse)
	r.header[1] = flagFinal
	o.putResidual(r)
	if o.lost {
		r.header[2] = 0x01 // Target Failure (RFC 7143 11.4.3)
	} else {
		r.header[3] = o.status
	}
	r.setITT(t.itt())
	r.put32(36, sent) // ExpDataSN
	if o.status == statusCheckCondition && !o.lost {
		r.data = append([]byte{byte(len(o.sense) >> 8), byte(len(o.sense))}, o.sense...)
	}
	return s.link.sendIf(r, numbered, func() bool { return s.commit(t) })
}

// sendData sends the data of a command in segments that the initiator takes, F at
// the end of each burst, and the status with the last one unless it comes alone.
// It returns the number of PDUs.
func (s *session) sendData(t *task, o *outcome, statusAlone bool) (sent uint32, err error) {
	burst, agreed := 0, s.agreed()
	for off := 0; off < len(o.data); sent++ {
		n := min(len(o.data)-off, agreed.sendSegment, agreed.burst-burst)
		r := new(pdu)
		r.setOpcode(opDataIn)
		r.setITT(t.itt())
		r.setTTT(noTag)
		r.setDataSN(sent)
		r.setBufferOffset(uint32(off))
		r.data = o.data[off : off+n]
		off += n
		burst += n
		last := off == len(o.data)
		if last || burst == agreed.burst {
			r.header[1] |= flagFinal
			burst = 0
		}
		if last && !statusAlone {
			r.header[1] |= 0x01 // S: the status is in this PDU (RFC 7143 11.7.3)
			r.header[3] = o.status
			o.putResidual(r)
			return sent + 1, s.link.sendIf(r, numbered, func() bool { return s.commit(t) })
		}
		if t.ctx.Err() != nil {
			return sent, nil
		}
		if err := s.link.send(r, unnumbered); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// putResidual tells what was transferred less, or would have been more, than the
// initiator expected (RFC 7143 11.4.1, 11.4.5).
func (o *outcome) putResidual(r *pdu) {
	const overflow, underflow = 0x04, 0x02
	switch {
	case o.overflow > 0:
		r.header[1] |= overflow
		r.put32(44, o.overflow)
	case o.residual > 0:
		r.header[1] |= underflow
		r.put32(44, o.residual)
	}
}

// commit takes a task off the list, because its status is about to be sent and
// its tag may be used anew. It returns false if the task was aborted.
func (s *session) commit(t *task) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.aborted {
		return false
	}
	s.remove(t)
	return true
}

// settle ends a task, answered or not.
func (s *session) settle(t *task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(t)
	t.abort()
	close(t.ended)
}

// remove needs s.mu.
func (s *session) remove(t *task) {
	if s.tasks[t.itt()] != t {
		return
	}
	delete(s.tasks, t.itt())
	if t.immediate() {
		s.immediate--
	} else {
		s.windowed--
	}
}

// maxTransfer bounds the data of one command, in bytes. Linux sends 1 MiB at
// most unless told otherwise.
const maxTransfer = 16 << 20

// blockTransfer is how many bytes the blocks that a READ or WRITE addresses have.
type blockTransfer struct {
	direction mmc.Direction // NoData for all other commands
	length    uint64
}

// blockTransferOf looks at a CDB. What is written may have larger blocks, as CD
// sectors with sub-header or whole ones do (MMC-5 7.5.4.11 Data Block Type): their
// size is known to initiator and drive, and to be seen from the expected length.
func blockTransferOf(cdb []byte, expected uint64) blockTransfer {
	const largest = 2448 // raw data with raw P-W sub-channel
	_, n, ok := mmc.BlockRange(trimCDB(cdb))
	if !ok {
		return blockTransfer{}
	}
	blocks := uint64(n)
	if op := mmc.Opcode(cdb[0]); op == mmc.OpRead10 || op == mmc.OpRead12 {
		return blockTransfer{mmc.FromDrive, blocks * mmc.BlockSize}
	}
	if blocks > 0 && expected%blocks == 0 && expected/blocks > mmc.BlockSize && expected/blocks <= largest {
		return blockTransfer{mmc.ToDrive, expected}
	}
	return blockTransfer{mmc.ToDrive, blocks * mmc.BlockSize}
}

// trimCDB cuts the field of 16 bytes down to what the operation code demands.
func trimCDB(cdb []byte) []byte {
	n := mmc.Opcode(cdb[0]).CDBLen()
	if n == 0 || n > len(cdb) {
		n = len(cdb)
	}
	return cdb[:n:n]
}
