"""The scoreboard: detectors and rival rules against the simulator's truth and real recordings.

Above the engines: it runs markets, detectors and rivals on one input and compares what they say
with what happened. Promises that thresholds are chosen on train seeds alone and that every figure
can be made again by `marginquake score`.
"""
