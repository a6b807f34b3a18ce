package iscsi

// transfer is the sequence of Data-Out that one R2T asked for
// (RFC 7143 11.7, 11.8). It is guarded by session.mu until done is closed.
type transfer struct {
	itt, ttt uint32
	data     []byte // what was asked for
	offset   uint32 // of data in the whole
	received int
	pdus     uint32 // DataSN of the next
	bad      bool   // what came is not what was asked for
	done     chan struct{}
}

// collect asks the initiator for the data of a command, burst by burst, until
// length bytes are there. What is wrong with them is told as a condition; an error
// is that none come any more.
func (s *session) collect(t *task, length int) ([]byte, *condition, error) {
	data := make([]byte, length)
	have := copy(data, t.data)
	t.data = nil
	burst := s.agreed().burst
	for r2tSN := uint32(0); have < length; r2tSN++ {
		n := min(length-have, burst)
		tr := &transfer{itt: t.itt(), data: data[have : have+n], offset: uint32(have), done: make(chan struct{})}
		s.mu.Lock()
		if s.lastTTT++; s.lastTTT == noTag {
			s.lastTTT = 1
		}
		tr.ttt = s.lastTTT
		s.transfer = tr
		s.mu.Unlock()

		r := new(pdu)
		r.setOpcode(opR2T)
		r.header[1] = flagFinal
		copy(r.header[8:16], t.header[8:16])
		r.setITT(t.itt())
		r.setTTT(tr.ttt)
		r.put32(36, r2tSN)
		r.setBufferOffset(tr.offset)
		r.put32(44, uint32(n)) // Desired Data Transfer Length
		err := s.link.send(r, announced)
		if err == nil {
			select {
			case <-tr.done:
			case <-t.ctx.Done():
				err = t.ctx.Err()
			}
		}
		s.mu.Lock()
		s.transfer = nil
		bad := tr.bad
		s.mu.Unlock()
		switch {
		case err != nil:
			return nil, nil, err
		case bad:
			return nil, &senseWrongAmount, nil
		}
		have += n
	}
	return data, nil, nil
}

// dataOut takes data that an R2T asked for. Data for an R2T that nobody waits for
// any more, because its task was aborted, are dropped.
func (s *session) dataOut(p *pdu) error {
	s.mu.Lock()
	tr := s.transfer
	var why rejectReason
	switch {
	case tr != nil && tr.ttt == p.ttt() && tr.itt == p.itt():
		tr.take(p)
	case p.ttt() == noTag: // unsolicited: InitialR2T=Yes forbids it
		why = rejectProtocolError
	case int32(s.lastTTT-p.ttt()) < 0 || s.lastTTT == 0: // was never sent
		why = rejectInvalidField
	}
	s.mu.Unlock()
	if why != 0 {
		return s.reject(p, why)
	}
	return nil
}

// take needs session.mu. Order is that of DataPDUInOrder=Yes.
func (tr *transfer) take(p *pdu) {
	select {
	case <-tr.done:
		return
	default:
	}
	switch {
	case tr.bad: // dropped up to the end of the sequence
	case p.dataSN() != tr.pdus, p.bufferOffset() != tr.offset+uint32(tr.received), len(p.data) > len(tr.data)-tr.received:
		tr.bad = true
	default:
		tr.received += copy(tr.data[tr.received:], p.data)
		tr.pdus++
	}
	if !p.final() {
		// A sequence of empty PDUs has no end, and neither has one that is wrong.
		tr.bad = tr.bad || len(p.data) == 0
		return
	}
	tr.bad = tr.bad || tr.received != len(tr.data)
	close(tr.done)
}
