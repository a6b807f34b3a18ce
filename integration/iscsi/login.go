package iscsi

import (
	"fmt"
	"time"
)

// stage is a stage of the login phase (RFC 7143 11.12.4).
type stage uint8

const (
	stageSecurity    stage = 0
	stageOperational stage = 1
	stageFullFeature stage = 3
)

func (s stage) phase() phase {
	switch s {
	case stageSecurity:
		return inSecurity
	case stageOperational:
		return inOperational
	}
	return inFullFeature
}

// loginStatus is status class and detail of a login response (RFC 7143 11.13.5).
type loginStatus uint16

const (
	loginSuccess          loginStatus = 0x0000
	loginInitiatorError   loginStatus = 0x0200
	loginAuthFailure      loginStatus = 0x0201
	loginTargetNotFound   loginStatus = 0x0203
	loginBadVersion       loginStatus = 0x0205
	loginMissingParameter loginStatus = 0x0207
	loginBadSessionType   loginStatus = 0x0209
	loginNoSession        loginStatus = 0x020a
	loginInvalidRequest   loginStatus = 0x020b
	loginUnavailable      loginStatus = 0x0301
)

// loginError is why a login failed, and what the initiator is told.
type loginError struct {
	status loginStatus
	reason string
}

func (e *loginError) Error() string {
	return fmt.Sprintf("login refused (status %04Xh): %s", uint16(e.status), e.reason)
}

func refuse(status loginStatus, format string, args ...any) error {
	return &loginError{status, fmt.Sprintf(format, args...)}
}

// maxLoginPDUs is how many requests a login may consist of. Initiators need
// three.
const maxLoginPDUs = 64

// loginSegment is the longest data segment of login PDUs, either way
// (RFC 7143 13.12, the default).
const loginSegment = 8192

// portalGroup is the tag of the only portal group (RFC 7143 13.9).
const portalGroup = "1"

// login is the login phase of a connection.
type login struct {
	link      *link
	isid      [6]byte
	cid       uint16
	tag       uint32
	cmdSN     uint32
	stage     stage
	text      []byte          // of requests with the C bit
	seen      map[string]bool // keys negotiated so far
	initiator string          // InitiatorName
	target    string          // TargetName
	discovery bool            // SessionType
	declared  bool            // our MaxRecvDataSegmentLength has been told
	params    parameters
}

// run leads an initiator to the full feature phase. enter is called when all is
// agreed, before the last response: it registers the session and returns its
// handle (TSIH), or refuses.
func (l *login) run(enter func(*login) (tsih uint16, err error)) error {
	if err := l.link.conn.SetReadDeadline(time.Now().Add(loginTimeout)); err != nil {
		return err
	}
	l.seen = make(map[string]bool)
	l.params = defaultParameters()
	l.link.window = func() (uint32, uint32) { return l.cmdSN, l.cmdSN + Depth - 1 }
	for n := range maxLoginPDUs {
		req, err := l.link.receive(loginSegment, true)
		if err != nil {
			return err
		}
		done, err := l.step(req, n == 0, enter)
		if le, ok := err.(*loginError); ok {
			resp := l.response(req)
			resp.put16(36, uint16(le.status))
			if sendErr := l.link.send(resp, numbered); sendErr != nil {
				return sendErr
			}
		}
		if done || err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: a login of more than %d requests", errPDU, maxLoginPDUs)
}

// response prepares the answer to a login request (RFC 7143 11.13).
func (l *login) response(req *pdu) *pdu {
	resp := new(pdu)
	resp.setOpcode(opLoginResp)
	copy(resp.header[8:16], req.header[8:16]) // ISID, TSIH
	resp.setITT(req.itt())
	return resp
}

// step answers one login request. done says that the full feature phase begins.
func (l *login) step(req *pdu, first bool, enter func(*login) (uint16, error)) (done bool, err error) {
	if req.opcode() != opLogin {
		return false, fmt.Errorf("%w: %v before the login", errPDU, req.opcode())
	}
	if err := l.check(req, first); err != nil {
		return false, err
	}
	resp := l.response(req)
	resp.header[1] = byte(l.stage) << 2
	if l.text = append(l.text, req.data...); len(l.text) > maxTextLen {
		return false, refuse(loginInitiatorError, "more than %d bytes of text", maxTextLen)
	}
	if req.flags()&flagContinue != 0 {
		return false, l.link.send(resp, numbered)
	}
	pairs, err := parseText(l.text)
	if err != nil {
		return false, refuse(loginInitiatorError, "%v", err)
	}
	l.text = nil
	answers, err := l.negotiate(pairs, l.initiator == "")
	if err != nil {
		return false, err
	}
	resp.data = formatText(answers)
	if len(resp.data) > loginSegment {
		return false, refuse(loginInitiatorError, "the answers to so many keys fill more than %d bytes", loginSegment)
	}
	if req.flags()&flagTransit == 0 {
		return false, l.link.send(resp, numbered)
	}
	resp.header[1] |= flagTransit | byte(req.nextStage())
	l.stage = req.nextStage()
	if l.stage != stageFullFeature {
		return false, l.link.send(resp, numbered)
	}
	tsih, err := enter(l)
	if err != nil {
		return false, err
	}
	resp.put16(14, tsih)
	return true, l.link.send(resp, numbered)
}

// check looks at the header of a request (RFC 7143 6.3, 11.12).
func (l *login) check(req *pdu, first bool) error {
	current, next := req.currentStage(), req.nextStage()
	if first {
		l.isid, l.cid, l.tag, l.cmdSN, l.stage = req.isid(), req.cid(), req.itt(), req.cmdSN(), current
		if req.versionMin() > 0 {
			return refuse(loginBadVersion, "version %d is not known", req.versionMin())
		}
		if req.tsih() != 0 {
			// A session has one connection here, so there is none to join.
			return refuse(loginNoSession, "session %04Xh cannot be joined", req.tsih())
		}
		if current != stageSecurity && current != stageOperational {
			return refuse(loginInvalidRequest, "a login cannot begin in stage %d", current)
		}
	}
	transit := req.flags()&flagTransit != 0
	switch {
	case req.itt() != l.tag || req.isid() != l.isid || req.cid() != l.cid:
		return refuse(loginInvalidRequest, "a request that belongs to another login")
	case current != l.stage:
		return refuse(loginInvalidRequest, "stage %d is claimed in stage %d", current, l.stage)
	case transit && req.flags()&flagContinue != 0:
		return refuse(loginInvalidRequest, "T and C are both set")
	case transit && (next <= current || next != stageOperational && next != stageFullFeature):
		return refuse(loginInvalidRequest, "no way leads from stage %d to stage %d", current, next)
	case len(req.ahs) != 0:
		return refuse(loginInvalidRequest, "an additional header segment")
	}
	return nil
}

// negotiate answers the keys of one text. The text that opens the login says who
// the parties are.
func (l *login) negotiate(pairs []pair, opening bool) ([]pair, error) {
	var answers []pair
	for _, p := range pairs {
		if l.seen[p.key] {
			return nil, refuse(loginInitiatorError, "%.80q is negotiated twice", p.key)
		}
		if len(l.seen) == maxPairs {
			return nil, refuse(loginInitiatorError, "more than %d keys", maxPairs)
		}
		l.seen[p.key] = true
		switch p.key {
		case "InitiatorName": // RFC 7143 13.5
			l.initiator = p.value
			continue
		case "TargetName": // 13.4
			l.target = p.value
			continue
		case "SessionType": // 13.21
			if p.value != "Discovery" && p.value != "Normal" {
				return nil, refuse(loginBadSessionType, "session type %.80q", p.value)
			}
			l.discovery = p.value == "Discovery"
			continue
		}
		a := l.params.answer(p, l.stage.phase())
		if p.key == "AuthMethod" && l.stage == stageSecurity && a == reject {
			return nil, refuse(loginAuthFailure, "authentication by %.80q is not supported, only None is", p.value)
		}
		if a != "" {
			answers = append(answers, pair{p.key, a})
		}
	}
	if opening {
		if l.initiator == "" {
			return nil, refuse(loginMissingParameter, "InitiatorName is missing")
		}
		if !l.discovery {
			if l.target == "" {
				return nil, refuse(loginMissingParameter, "TargetName is missing")
			}
			answers = append(answers, pair{"TargetPortalGroupTag", portalGroup})
		}
	}
	if l.stage == stageOperational && !l.declared {
		l.declared = true
		answers = append(answers, pair{"MaxRecvDataSegmentLength", fmt.Sprint(maxSegment)})
	}
	return answers, nil
}

// answer returns the value to reply to a key, "" for none.
func (p *parameters) answer(offer pair, now phase) string {
	k, known := keys[offer.key]
	switch {
	case !known:
		return notUnderstood
	case k.phases&now == 0:
		return reject
	}
	return k.answer(p, offer.value)
}
