#!/bin/sh
# What mod_fcgid starts to ask whether a call may pass. In this configuration say gate_workers = 1.
exec /home/anna/consentgate/consentgate --gate --config /home/anna/consentgate/consentgate.conf
