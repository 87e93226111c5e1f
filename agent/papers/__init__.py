"""What learners hand on: copies of a certificate for one purpose and a time, transcripts of a year, proof for a
declaration. Signed, registered, and checked by whoever gets one.
"""
