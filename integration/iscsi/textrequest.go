package iscsi

// textTransfer is a text negotiation that takes several PDUs, because a request
// goes on or because a response does (RFC 7143 11.10.2, 11.11.2).
type textTransfer struct {
	tag      uint32 // Target Transfer Tag of the last response, if open
	open     bool   // the initiator sends more
	request  []byte // text so far, while the C bit is set
	response []byte // what is still to be sent
}

// textRequest answers SendTargets and declarations (RFC 7143 11.10, 11.11).
func (s *session) textRequest(p *pdu) error {
	tx := &s.text
	if p.ttt() == noTag { // begins anew
		*tx = textTransfer{tag: tx.tag}
	} else if !tx.open || p.ttt() != tx.tag {
		return s.reject(p, rejectInvalidField)
	}
	if len(p.data) > 0 || len(tx.response) == 0 {
		tx.response = nil
		if tx.request = append(tx.request, p.data...); len(tx.request) > maxTextLen {
			*tx = textTransfer{tag: tx.tag}
			return s.reject(p, rejectProtocolError)
		}
		if p.flags()&flagContinue != 0 {
			return s.answerText(p, nil)
		}
		pairs, err := parseText(tx.request)
		tx.request = nil
		if err != nil {
			return s.reject(p, rejectProtocolError)
		}
		tx.response = formatText(s.answerKeys(pairs))
	}
	n := min(len(tx.response), s.agreed().sendSegment)
	part := tx.response[:n]
	tx.response = tx.response[n:]
	return s.answerText(p, part)
}

// answerText sends one Text Response. The negotiation ends with it if the
// initiator wants that and nothing is left to say.
func (s *session) answerText(p *pdu, text []byte) error {
	tx := &s.text
	r := new(pdu)
	r.setOpcode(opTextResp)
	copy(r.header[8:16], p.header[8:16])
	r.setITT(p.itt())
	r.data = text
	goesOn := len(tx.response) > 0
	tx.open = goesOn || !p.final()
	switch {
	case !tx.open:
		r.header[1] = flagFinal
		r.setTTT(noTag)
		return s.link.send(r, numbered)
	case goesOn:
		r.header[1] = flagContinue
	}
	if tx.tag++; tx.tag == noTag {
		tx.tag = 1
	}
	r.setTTT(tx.tag)
	return s.link.send(r, numbered)
}

// answerKeys answers the keys of a text request.
func (s *session) answerKeys(pairs []pair) []pair {
	var answers []pair
	for _, p := range pairs {
		if p.key == "SendTargets" {
			answers = append(answers, s.sendTargets(p.value)...)
		} else if a := s.declared(p); a != "" {
			answers = append(answers, pair{p.key, a})
		}
	}
	return answers
}

// declared answers a key that is not about targets.
func (s *session) declared(p pair) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.params.answer(p, inFullFeature)
}

// sendTargets lists targets: all of them or one by name in a discovery session,
// in a normal session its own (RFC 7143 appendix C).
func (s *session) sendTargets(value string) []pair {
	if value == "All" && !s.discovery {
		return []pair{{"SendTargets", reject}}
	}
	var list []pair
	for _, name := range s.target.targets() {
		all := value == "All" && s.discovery
		own := value == "" && !s.discovery && name == s.node.name
		if all || own || value == name {
			list = append(list, pair{"TargetName", name},
				pair{"TargetAddress", s.link.conn.LocalAddr().String() + "," + portalGroup})
		}
	}
	return list
}
