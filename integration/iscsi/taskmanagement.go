package iscsi

// Task management functions (RFC 7143 11.5.1).
const (
	abortTask       = 1
	abortTaskSet    = 2
	clearACA        = 3
	clearTaskSet    = 4
	logicalReset    = 5
	targetWarmReset = 6
	targetColdReset = 7
	taskReassign    = 8
)

// Answers to them (RFC 7143 11.6.1).
const (
	functionComplete     = 0
	taskDoesNotExist     = 1
	lunDoesNotExist      = 2
	reassignNotSupported = 4
	functionNotSupported = 5
)

// taskManagement does a task management function. It is answered when all tasks
// in question have ended: a command that the drive executes cannot be stopped,
// so an initiator that was told of its end early would be deceived.
func (s *session) taskManagement(p *pdu) error {
	var tasks []*task
	var attention *condition
	switch p.function() {
	case abortTask:
		t, answer := s.abortOne(p)
		if t == nil {
			return s.answerFunction(p, answer)
		}
		tasks = append(tasks, t)
	case abortTaskSet, clearTaskSet, logicalReset:
		if !p.lun().zero() {
			return s.answerFunction(p, lunDoesNotExist)
		}
		if p.function() == abortTaskSet {
			tasks = s.abortAll()
			break
		}
		tasks = s.clearTaskSet()
		attention = &senseClearedByOthers
		if p.function() == logicalReset {
			attention = &senseUnitReset
		}
	case targetWarmReset:
		tasks = s.clearTaskSet()
		attention = &senseUnitReset
	case taskReassign:
		return s.answerFunction(p, reassignNotSupported)
	case clearACA, targetColdReset:
		return s.answerFunction(p, functionNotSupported)
	default:
		return s.reject(p, rejectInvalidField)
	}
	return s.awaitEnd(p, tasks, attention)
}

// abortOne aborts the task that a function names, or says why there is none
// (RFC 7143 11.5.5, 11.6.1).
func (s *session) abortOne(p *pdu) (*task, uint8) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tasks[p.referencedITT()]; t != nil {
		t.aborted = true
		t.abort()
		return t, functionComplete
	}
	// A command that is still on its way counts as received and aborted. In a
	// session of one connection there is none.
	return nil, taskDoesNotExist
}

// abortAll aborts the tasks of the session.
func (s *session) abortAll() []*task {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*task, 0, len(s.tasks))
	for _, t := range s.tasks {
		t.aborted = true
		t.abort()
		all = append(all, t)
	}
	return all
}

// clearTaskSet aborts the tasks of all sessions.
func (s *session) clearTaskSet() []*task {
	var all []*task
	for _, other := range s.target.loggedIn(s.node) {
		all = append(all, other.abortAll()...)
	}
	return all
}

// awaitEnd answers a function when tasks have ended. After a reset, all sessions
// hear a unit attention; after CLEAR TASK SET, all but this one.
func (s *session) awaitEnd(p *pdu, tasks []*task, attention *condition) error {
	s.mu.Lock()
	tooMany := s.immediate == maxImmediate
	if !tooMany {
		s.immediate++
	}
	s.mu.Unlock()
	if tooMany {
		return s.reject(p, rejectTooManyImmediate)
	}
	s.running.Go(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.immediate--
		}()
		for _, t := range tasks {
			select {
			case <-t.ended:
			case <-s.over.Done():
				return
			}
		}
		if attention == &senseUnitReset {
			s.node.unit.reset(s)
			if s.over.Err() != nil {
				return
			}
		}
		if attention != nil {
			for _, other := range s.target.loggedIn(s.node) {
				if other != s || attention == &senseUnitReset {
					other.notice(*attention)
				}
			}
		}
		if err := s.answerFunction(p, functionComplete); err != nil {
			s.log.Debug("iSCSI target: no way back for the answer to a task management function", "err", err)
		}
	})
	return nil
}

// notice makes the next command hear a unit attention.
func (s *session) notice(c condition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attention = c.sense()
}

// answerFunction sends a Task Management Function Response (RFC 7143 11.6).
func (s *session) answerFunction(p *pdu, answer uint8) error {
	r := new(pdu)
	r.setOpcode(opTaskMgmtResp)
	r.header[1] = flagFinal
	r.header[2] = answer
	r.setITT(p.itt())
	return s.link.send(r, numbered)
}
