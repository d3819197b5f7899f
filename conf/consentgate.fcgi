#!/bin/sh
# What mod_fcgid starts. In this configuration say workers = 1, because mod_fcgid starts as many of these as it needs.
exec /home/anna/consentgate/consentgate --config /home/anna/consentgate/consentgate.conf
