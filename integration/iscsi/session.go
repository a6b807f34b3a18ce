package iscsi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"burnfs/mmc"
)

const (
	// Depth is how many commands an initiator may have under way in a session.
	Depth = 32
	// maxImmediate is how many commands besides may be marked for immediate
	// delivery, which no window holds back (RFC 7143 4.2.2.1).
	maxImmediate = 8
)

// session is a session in the full feature phase.
type session struct {
	target    *Target
	node      *node // nil for a discovery session
	port      initiatorPort
	tsih      uint16
	cid       uint16
	discovery bool
	link      *link
	log       *slog.Logger
	running   sync.WaitGroup // the goroutines besides run

	over  context.Context // ends with the session
	close context.CancelFunc
	queue chan *task // to the executor, in order

	text textTransfer // for run alone

	mu        sync.Mutex // guards all below; nothing is sent while it is held
	params    parameters
	expCmdSN  uint32
	windowed  int // tasks that count against the window
	immediate int // tasks and functions that do not
	tasks     map[uint32]*task
	lastTTT   uint32
	transfer  *transfer // the R2T that data are awaited for
	attention mmc.Sense // what the next command hears, nil if nothing is pending
}

func newSession(t *Target, n *node, in *login, tsih uint16, log *slog.Logger) *session {
	s := &session{
		target: t, node: n, port: initiatorPort{in.initiator, in.isid}, tsih: tsih, cid: in.cid,
		discovery: in.discovery, link: in.link, log: log, params: in.params,
		queue: make(chan *task, Depth+maxImmediate), expCmdSN: in.cmdSN, tasks: make(map[uint32]*task),
	}
	s.over, s.close = context.WithCancel(context.Background())
	in.link.window = s.window
	return s
}

// window returns ExpCmdSN and MaxCmdSN: every task that is not answered yet
// narrows the window by one (RFC 7143 4.2.2.1).
func (s *session) window() (expected, highest uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.expCmdSN, s.expCmdSN + uint32(Depth-s.windowed) - 1
}

// agreed returns what is agreed on now: a text request may declare another
// MaxRecvDataSegmentLength at any time.
func (s *session) agreed() parameters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.params
}

// errLogout ends a session as agreed.
var errLogout = errors.New("logged out")

// run serves the initiator until the connection ends.
func (s *session) run() error {
	s.running.Go(s.execute)
	for {
		p, err := s.link.receive(maxSegment, false)
		if err != nil {
			return err
		}
		if err := s.dispatch(p); err != nil {
			return err
		}
	}
}

// end stops everything that run started and waits for it. A command that the
// drive executes runs to its end.
func (s *session) end() {
	s.close()
	_ = s.link.conn.Close() // wakes up whoever sends; what was sent before is still delivered
	s.running.Wait()
}

// verdict is what becomes of a numbered request.
type verdict uint8

const (
	take verdict = iota
	ignore
	protocolError
)

// order checks the CmdSN of a request and counts it (RFC 7143 4.2.2.1). A gap
// cannot be closed in a session of one connection, where requests are sent in
// order.
func (s *session) order(p *pdu) verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.immediate() {
		return take
	}
	switch ahead := int32(p.cmdSN() - s.expCmdSN); {
	case ahead < 0 || ahead >= int32(Depth-s.windowed):
		return ignore
	case ahead > 0:
		return protocolError
	}
	s.expCmdSN++
	return take
}

// dispatch handles one PDU. An error ends the connection.
func (s *session) dispatch(p *pdu) error {
	op := p.opcode()
	switch op {
	case opNopOut, opSCSICommand, opTaskMgmt, opText, opLogout:
		switch s.order(p) {
		case ignore:
			s.log.Debug("iSCSI target: a request outside of the window is ignored", "opcode", op, "CmdSN", p.cmdSN())
			return nil
		case protocolError:
			return errors.Join(s.reject(p, rejectProtocolError),
				fmt.Errorf("%w: CmdSN %d leaves a gap", errPDU, p.cmdSN()))
		}
	}
	if len(p.ahs) != 0 { // extended CDBs and bidirectional commands: no MMC command needs them
		return s.reject(p, rejectNotSupported)
	}
	if s.discovery && op != opText && op != opLogout {
		return s.reject(p, rejectNotSupported) // RFC 7143 4.3
	}
	switch op {
	case opNopOut:
		return s.nopOut(p)
	case opSCSICommand:
		return s.command(p)
	case opTaskMgmt:
		return s.taskManagement(p)
	case opText:
		return s.textRequest(p)
	case opDataOut:
		return s.dataOut(p)
	case opLogout:
		return s.logout(p)
	case opSNACK:
		return s.reject(p, rejectSNACK)
	case opLogin:
		return errors.Join(s.reject(p, rejectProtocolError), fmt.Errorf("%w: a login in the full feature phase", errPDU))
	}
	return s.reject(p, rejectNotSupported)
}

// rejectReason is why a PDU is rejected (RFC 7143 11.17.1).
type rejectReason uint8

const (
	rejectSNACK            rejectReason = 0x03
	rejectProtocolError    rejectReason = 0x04
	rejectNotSupported     rejectReason = 0x05
	rejectTooManyImmediate rejectReason = 0x06
	rejectInvalidField     rejectReason = 0x09
)

// reject returns a PDU's header to the sender (RFC 7143 11.17).
func (s *session) reject(p *pdu, why rejectReason) error {
	s.log.Warn("iSCSI target: rejected", "opcode", p.opcode(), "reason", uint8(why))
	r := new(pdu)
	r.setOpcode(opReject)
	r.header[1] = flagFinal
	r.header[2] = byte(why)
	r.setITT(noTag)
	r.data = append([]byte(nil), p.header[:]...)
	return s.link.send(r, numbered)
}

// nopOut answers a ping (RFC 7143 11.18, 11.19). This target sends none itself.
func (s *session) nopOut(p *pdu) error {
	if p.ttt() != noTag {
		return s.reject(p, rejectInvalidField)
	}
	if p.itt() == noTag {
		if !p.immediate() {
			return s.reject(p, rejectProtocolError)
		}
		return nil
	}
	r := new(pdu)
	r.setOpcode(opNopIn)
	r.header[1] = flagFinal
	copy(r.header[8:16], p.header[8:16])
	r.setITT(p.itt())
	r.setTTT(noTag)
	r.data = p.data[:min(len(p.data), s.agreed().sendSegment)]
	return s.link.send(r, numbered)
}

// Reasons and answers of logout (RFC 7143 11.14.1, 11.15.1).
const (
	logoutSession    = 0
	logoutConnection = 1
	logoutRecovery   = 2

	loggedOut        = 0
	logoutNoSuchCID  = 1
	logoutNoRecovery = 2
)

// logout ends the session. Tasks that are not answered yet end with it.
func (s *session) logout(p *pdu) error {
	var answer uint8
	switch p.logoutReason() {
	case logoutSession:
	case logoutConnection:
		if p.cid() != s.cid {
			answer = logoutNoSuchCID
		}
	case logoutRecovery:
		answer = logoutNoRecovery
	default:
		return s.reject(p, rejectInvalidField)
	}
	if answer == loggedOut {
		s.close() // nobody answers a task from here on
	}
	r := new(pdu)
	r.setOpcode(opLogoutResp)
	r.header[1] = flagFinal
	r.header[2] = answer
	r.setITT(p.itt())
	if err := s.link.send(r, numbered); err != nil {
		return err
	}
	if answer == loggedOut {
		return errLogout
	}
	return nil
}
