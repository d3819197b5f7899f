#!/bin/sh
# mod_fcgid starts this program to ask whether a call may pass. Set gate_workers = 1 in the
# configuration, because mod_fcgid starts as many of these as it needs.
exec /home/anna/consentgate/consentgate --gate --config /home/anna/consentgate/consentgate.conf
